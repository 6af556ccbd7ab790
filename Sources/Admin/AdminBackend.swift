/// What the admin server needs of the daemon.
///
/// Concurrency: called on the server's own thread. The views are made of counters that anyone may read, and of what the main
/// thread has published; whatever only the main thread can answer goes through ``submit(_:)``.
public protocol AdminBackend: Sendable {
    /// The state of relays and links now.
    func status() -> StatusView
    /// All that is counted.
    func metrics() -> MetricsView
    /// Whether anybody wants to hear of every connection that opens and closes: while nobody does, that costs nothing.
    func setFrequentEvents(wanted: Bool)
    /// The next byte that a relay moves is to be announced to ``AdminServer/noteActivity()``, once.
    func awaitActivity()
    /// Hands a request to the main thread.
    ///
    /// - Returns: false when too many wait already; the request's callback is not called then.
    func submit(_ request: AdminRequest) -> Bool
}

/// What is asked of the main thread. The callbacks are called there, once (`list`: until the last slice), and must not block.
public enum AdminRequest: Sendable {
    /// Answer: the main thread runs, and every event loop does.
    case ping(@Sendable (_ isAlive: Bool) -> Void)
    /// The links, and the kernel's limits and endpoints.
    case paths(@Sendable (PathsView) -> Void)
    /// All connections, a slice at a time.
    case list(@Sendable (ConnectionSlice) -> Void)
    /// Ends a connection. Answer: whether there was one.
    case close(connection: UInt64, by: AdminCaller, @Sendable (_ found: Bool) -> Void)
    /// Changes a link's role.
    case link(name: String, LinkRoleChange, by: AdminCaller, @Sendable (LinkAnswer) -> Void)
    /// Says whether an upstream takes new connections.
    case upstream(relay: String, UpstreamChange, by: AdminCaller, @Sendable (UpstreamAnswer) -> Void)
    /// Takes the configuration anew.
    case reload(by: AdminCaller, @Sendable (ReloadAnswer) -> Void)
}

/// A part of a list of connections.
public enum ConnectionSlice: Sendable {
    /// The rows are made by whoever wants them, on its own thread.
    case rows(@Sendable () -> [ConnectionView], isLast: Bool)
    /// Too many lists are under way; nothing follows.
    case refused
}

/// Who asks for a change: the peer of the Unix socket. unix(7), `SO_PEERCRED`.
public struct AdminCaller: Sendable, Equatable {
    /// Its process id, 0 for one of another pid namespace.
    public var pid: Int32
    /// Its user.
    public var uid: UInt32

    /// A caller of these parts.
    public init(pid: Int32, uid: UInt32) {
        self.pid = pid
        self.uid = uid
    }
}

/// What `PATCH /v1/links/NAME` asks for; what is nil stays as it is.
public struct LinkRoleChange: Sendable, Equatable, Codable {
    /// Carry data only while no other link works, or again as the configuration says.
    public var backup: Bool?
    /// Use the link, or do not.
    public var up: Bool?

    /// A change of these parts.
    public init(backup: Bool? = nil, up: Bool? = nil) {
        self.backup = backup
        self.up = up
    }
}

/// What became of a ``LinkRoleChange``.
public enum LinkAnswer: Sendable, Equatable {
    /// Done; the link as it is now.
    case changed(LinkView)
    /// There is no link of that name; these there are.
    case unknown(names: [String])
}

/// What `PATCH /v1/relays/NAME/upstreams` asks for.
public struct UpstreamChange: Sendable, Equatable, Codable {
    /// The upstream, as ``UpstreamView/address`` has it.
    public var address: String
    /// Send no new connections there, or do again.
    public var draining: Bool

    /// A change of these parts.
    public init(address: String, draining: Bool) {
        self.address = address
        self.draining = draining
    }
}

/// What became of an ``UpstreamChange``.
public enum UpstreamAnswer: Sendable, Equatable {
    /// Done; the upstream as it is now.
    case changed(UpstreamView)
    /// There is no relay of that name; these there are.
    case unknownRelay(names: [String])
    /// The relay has no upstream of that address; these it has.
    case unknownUpstream(addresses: [String])
}

/// What became of a reload.
public enum ReloadAnswer: Sendable, Equatable {
    /// The new configuration is in force.
    case reloaded
    /// The new configuration is wrong; everything runs on as it was. One line an error.
    case invalid([String])
}
