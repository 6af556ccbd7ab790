/// What `GET /v1/status` answers.
public struct StatusView: Sendable, Equatable, Decodable {
    /// The program's version.
    public var version = ""
    /// The daemon's process id.
    public var pid = 0
    /// Seconds since it started.
    public var uptimeSeconds = 0.0
    /// Every listener accepts.
    public var ready = false
    /// It is stopping: nobody new comes in.
    public var draining = false
    /// Event-loop threads.
    public var threads = 0
    /// Open connections.
    public var connections = 0
    /// In the order of the configuration.
    public var relays: [RelayView] = []
    /// As in ``PathsView``.
    public var links: [LinkView] = []

    /// A daemon of which nothing is known.
    public init() {}
}

/// A relay in a ``StatusView``.
public struct RelayView: Sendable, Equatable, Decodable {
    /// Its name.
    public var name = ""
    /// Where it accepts.
    public var listen: [String] = []
    /// Where it dials.
    public var upstreams: [UpstreamView] = []
    /// Connections open now.
    public var open: UInt64 = 0
    /// Connections accepted since the start.
    public var accepted: UInt64 = 0
    /// Refused by rule.
    public var refused: UInt64 = 0
    /// Whose upstream could not be reached.
    public var failed: UInt64 = 0
    /// Bytes from clients to upstreams.
    public var bytesUp: UInt64 = 0
    /// Bytes from upstreams to clients.
    public var bytesDown: UInt64 = 0
    /// Connections that were multipath.
    public var multipath: UInt64 = 0
    /// Connections that fell back to plain TCP.
    public var fallback: UInt64 = 0

    /// A relay of which nothing is known.
    public init() {}
}

/// An upstream of a relay.
public struct UpstreamView: Sendable, Equatable, Decodable {
    /// As configured.
    public var address = ""
    /// False once it failed, until it works again.
    public var healthy = true
    /// Connections to it that are open now.
    public var connections: UInt64 = 0
    /// No new connection goes there, for somebody has said so.
    public var draining = false

    /// An upstream of these parts.
    public init(address: String, healthy: Bool, connections: UInt64, draining: Bool = false) {
        self.address = address
        self.healthy = healthy
        self.connections = connections
        self.draining = draining
    }
}

extension StatusView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("version", version)
        json.member("pid", pid)
        json.member("uptime_seconds", uptimeSeconds)
        json.member("ready", ready)
        json.member("draining", draining)
        json.member("threads", threads)
        json.member("connections", connections)
        json.member("relays", relays)
        json.member("links", links)
        json.endObject()
    }
}

extension RelayView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("listen", listen)
        json.member("upstreams", upstreams)
        json.member("open", open)
        json.member("accepted", accepted)
        json.member("refused", refused)
        json.member("failed", failed)
        json.member("bytes_up", bytesUp)
        json.member("bytes_down", bytesDown)
        json.member("multipath", multipath)
        json.member("fallback", fallback)
        json.endObject()
    }
}

extension UpstreamView: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("address", address)
        json.member("healthy", healthy)
        json.member("connections", connections)
        json.member("draining", draining)
        json.endObject()
    }
}
