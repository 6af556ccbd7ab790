/// What `GET /v1/paths` answers.
public struct PathsView: Sendable, Equatable, Decodable {
    /// The daemon owns this network namespace's MPTCP endpoints (`paths.manage`).
    public var managed = false
    /// The kernel's limits.
    public var limits = LimitsView()
    /// The links that the configuration names, or that were found for it.
    public var links: [LinkView] = []
    /// The kernel's endpoints, whoever made them.
    public var endpoints: [EndpointView] = []

    /// No path is known.
    public init() {}
}

/// The kernel's limits on subflows, `ip mptcp limits`.
public struct LimitsView: Sendable, Equatable, Decodable {
    /// Subflows of a connection besides the first; -1 when the kernel could not be asked.
    public var subflows = -1
    /// Announced addresses that are accepted.
    public var announced = -1

    /// Limits that are not known.
    public init() {}
}

/// A link: an interface or address that subflows use.
public struct LinkView: Sendable, Equatable, Decodable {
    /// Its name.
    public var name = ""
    /// The interface, when it is up.
    public var interface: String?
    /// Its address; of several, the first IPv4 one.
    public var address: String?
    /// `up`, `down`, or why it is not used.
    public var state = ""
    /// Carries data only while no other does.
    public var backup = false
    /// Why it is backup: `configured`, `commanded`, `guard`, a policy.
    public var reason: String?
    /// The kernel's number for its endpoint.
    public var endpointId: Int?
    /// Smoothed round-trip time in microseconds, over its subflows.
    public var rttUs: UInt64?
    /// Fraction of segments that were sent again.
    public var loss: Double?
    /// Bytes sent over it.
    public var bytesSent: UInt64 = 0
    /// Bytes received over it.
    public var bytesReceived: UInt64 = 0
    /// Segments sent again.
    public var retransmits: UInt64 = 0
    /// Subflows on it now.
    public var subflows: UInt64 = 0

    /// A link of which nothing is known.
    public init() {}
}

/// An MPTCP endpoint of the kernel, `ip mptcp endpoint`.
public struct EndpointView: Sendable, Equatable, Decodable {
    /// The kernel's number for it.
    public var id = 0
    /// Its address.
    public var address = ""
    /// The interface it is bound to.
    public var interface: String?
    /// `subflow`, `signal`, `backup`, `fullmesh`, …
    public var flags: [String] = []

    /// An endpoint of these parts.
    public init(id: Int, address: String, interface: String?, flags: [String]) {
        self.id = id
        self.address = address
        self.interface = interface
        self.flags = flags
    }
}

extension PathsView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("managed", managed)
        json.member("limits", limits)
        json.member("links", links)
        json.member("endpoints", endpoints)
        json.endObject()
    }
}

extension LimitsView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("subflows", subflows)
        json.member("announced", announced)
        json.endObject()
    }
}

extension LinkView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("interface", interface)
        json.member("address", address)
        json.member("state", state)
        json.member("backup", backup)
        json.member("reason", reason)
        json.member("endpoint_id", endpointId)
        json.member("rtt_us", rttUs)
        json.member("loss", loss)
        json.member("bytes_sent", bytesSent)
        json.member("bytes_received", bytesReceived)
        json.member("retransmits", retransmits)
        json.member("subflows", subflows)
        json.endObject()
    }
}

extension EndpointView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("id", id)
        json.member("address", address)
        json.member("interface", interface)
        json.member("flags", flags)
        json.endObject()
    }
}
