/// What `GET /v1/busiest` answers: how many connections there are, how many of them are multipath, and some of them.
public struct BusiestView: Sendable, Equatable, Decodable {
    /// Open connections.
    public var total = 0
    /// Those that match the search.
    public var matching = 0
    /// Those that are multipath.
    public var multipath = 0
    /// Those that were to be, and fell back.
    public var fallback = 0
    /// Why they did, the most frequent first.
    public var reasons: [ReasonView] = []
    /// The first in the order that was asked for.
    public var connections: [BusyConnectionView] = []

    /// No connections.
    public init() {}
}

/// A reason for falling back.
public struct ReasonView: Sendable, Equatable, Decodable {
    /// For people.
    public var reason = ""
    /// How many connections.
    public var count = 0
}

/// A connection with its rates.
public struct BusyConnectionView: Sendable, Equatable, Decodable {
    /// The connection.
    public var connection = ConnectionView()
    /// Bytes a second from client to upstream since it was looked at before.
    public var rateUp = 0.0
    /// Bytes a second from upstream to client.
    public var rateDown = 0.0

    init(_ connection: ConnectionView) {
        self.connection = connection
    }
}

extension BusiestView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("total", total)
        json.member("matching", matching)
        json.member("multipath", multipath)
        json.member("fallback", fallback)
        json.member("reasons", reasons)
        json.member("connections", connections)
        json.endObject()
    }
}

extension ReasonView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("reason", reason)
        json.member("count", count)
        json.endObject()
    }
}

extension BusyConnectionView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("connection", connection)
        json.member("rate_up", rateUp)
        json.member("rate_down", rateDown)
        json.endObject()
    }
}
