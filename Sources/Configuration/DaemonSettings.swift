/// `[daemon]`
public struct DaemonSettings: Sendable, Equatable {
    /// How many event-loop threads.
    public enum ThreadCount: Sendable, Equatable {
        /// One for each CPU that this process may use.
        case automatic
        /// 1 to 1024.
        case fixed(Int)
    }

    /// The least severe records that are kept.
    public enum LogLevel: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// What records look like.
    public enum LogFormat: String, Sendable, CaseIterable {
        /// The journal under systemd, else text.
        case automatic = "auto"
        case text, json, journal
    }

    /// Event-loop threads. Default: automatic.
    public var threads = ThreadCount.automatic
    /// On stop: how long open connections may finish. Zero (reset at once) to 7 days; default 30 s.
    public var drainTimeout = Duration.seconds(30)
    /// After another process has taken over: how long open connections may finish here. Zero to 7 days; default 12 h.
    public var takeoverTimeout = Duration.seconds(12 * 3600)
    /// Default: info.
    public var logLevel = LogLevel.info
    /// Default: automatic.
    public var logFormat = LogFormat.automatic
    /// Whether each connection is recorded when it ends. Default: true.
    public var logConnections = true
    /// Where the keys are written.
    public var locations: KeyLocations

    init(locations: KeyLocations) { self.locations = locations }
}

/// `[limits]`
public struct LimitSettings: Sendable, Equatable {
    /// Open connections of the whole daemon; 0 (the default) = what the descriptor limit allows. At most 10 million.
    public var connections = 0
    /// Where the keys are written.
    public var locations: KeyLocations

    init(locations: KeyLocations) { self.locations = locations }
}

/// `[admin]`
public struct AdminSettings: Sendable, Equatable {
    /// The path of the socket that the commands talk to; nil (the default) = ``defaultSocket(environment:)``.
    public var socket: String?
    /// Where dashboard and metrics are served, read-only; nil (the default) = nowhere. Port 0: the kernel picks one.
    public var http: HostPort?
    /// Names by which browsers may ask for the dashboard, besides addresses, `localhost` and this host's own name. Default: none.
    public var hosts: [String] = []
    /// Where the keys are written.
    public var locations: KeyLocations

    init(locations: KeyLocations) { self.locations = locations }

    /// The admin socket when no configuration names one: the first of `$BRAID_SOCKET`,
    /// `$RUNTIME_DIRECTORY/admin.sock`, `/run/braid/admin.sock`.
    public static func defaultSocket(environment: [String: String]) -> String {
        if let path = environment["BRAID_SOCKET"], !path.isEmpty { return path }
        // systemd separates several directories by colons.
        if let directory = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first {
            return "\(directory)/admin.sock"
        }
        return "/run/braid/admin.sock"
    }
}
