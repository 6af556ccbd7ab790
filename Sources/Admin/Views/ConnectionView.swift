/// One of what `GET /v1/connections` answers.
public struct ConnectionView: Sendable, Equatable, Decodable {
    /// Unique in this process; what `braid close` takes.
    public var id: UInt64 = 0
    /// The relay's name.
    public var relay = ""
    /// The client's address, or `unix`.
    public var client = ""
    /// The upstream that it is connected to, or tries.
    public var upstream = ""
    /// Where the client wanted to go, when it chose.
    public var destination: String?
    /// `handshake`, `resolving`, `dialing`, `relaying`, `half-closed`.
    public var state = ""
    /// Since it was accepted.
    public var ageSeconds = 0.0
    /// Client to upstream.
    public var bytesUp: UInt64 = 0
    /// Upstream to client.
    public var bytesDown: UInt64 = 0
    /// `yes`, `fallback` or `no`.
    public var multipath = ""
    /// Why it is not multipath although it was to be.
    public var reason: String?
    /// Of both legs.
    public var subflows: [SubflowView] = []

    /// A connection of which nothing is known.
    public init() {}
}

/// A subflow of a ``ConnectionView``: one TCP connection of the several that carry it.
public struct SubflowView: Sendable, Equatable, Decodable {
    /// `client` or `upstream`: which side of the daemon it is on.
    public var leg = ""
    /// This host's address and port.
    public var local = ""
    /// The peer's address and port.
    public var remote = ""
    /// The link that carries it, when it is one of Braid's.
    public var link: String?
    /// Smoothed round-trip time in microseconds.
    public var rttUs: UInt64 = 0
    /// Bytes sent, as far as acknowledged.
    public var bytesSent: UInt64 = 0
    /// Bytes received.
    public var bytesReceived: UInt64 = 0
    /// Segments sent again.
    public var retransmits: UInt64 = 0
    /// Carries data only while no other does.
    public var backup = false
    /// As `ss` names it: `established`, `syn-sent`, …
    public var state = ""

    /// A subflow of which nothing is known.
    public init() {}
}

extension ConnectionView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", id)
        json.member("relay", relay)
        json.member("client", client)
        json.member("upstream", upstream)
        json.member("destination", destination)
        json.member("state", state)
        json.member("age_seconds", ageSeconds)
        json.member("bytes_up", bytesUp)
        json.member("bytes_down", bytesDown)
        json.member("multipath", multipath)
        json.member("reason", reason)
        json.member("subflows", subflows)
        json.endObject()
    }
}

extension SubflowView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("leg", leg)
        json.member("local", local)
        json.member("remote", remote)
        json.member("link", link)
        json.member("rtt_us", rttUs)
        json.member("bytes_sent", bytesSent)
        json.member("bytes_received", bytesReceived)
        json.member("retransmits", retransmits)
        json.member("backup", backup)
        json.member("state", state)
        json.endObject()
    }
}
