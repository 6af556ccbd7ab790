public import Logging

/// The kinds of event that have a name of their own in the log, each with a fixed `MESSAGE_ID`.
///
/// The identifiers never change: people and tools filter by them (`journalctl MESSAGE_ID=…`), and the message catalog
/// (`systemd/braid.catalog`, shown by `journalctl -x`) explains each kind and says what to do.
public enum EventKind: String, Sendable, CaseIterable {
    /// The process runs and has read its configuration; listeners are not open yet. Fields: `version`, `config`,
    /// `threads`, `relays`.
    case daemonStarted = "daemon-started"
    /// Every listener accepts. Fields: `relays`, `startup-usec`.
    case daemonReady = "daemon-ready"
    /// A stop was asked for: no new connections, open ones may finish. Fields: `signal`, `connections`,
    /// `drain-timeout-usec`.
    case daemonStopping = "daemon-stopping"
    /// Another process has taken the listening sockets over; open connections may finish here. Fields: `successor`,
    /// `connections`, `drain-timeout-usec`.
    case handedOver = "handed-over"
    /// The end: nothing is open any more. Fields: `connections-reset`.
    case daemonStopped = "daemon-stopped"
    /// The drain time is over and the connections still open were reset. Fields: `connections`, `drain-timeout-usec`.
    case drainTimeout = "drain-timeout"
    /// A connection's one record. Fields: those of a connection (`connection`, `relay`, `client`, `upstream`,
    /// `bytes-up`, …, `result`).
    case connectionEnded = "connection-ended"
    /// The configuration is wrong and was not taken. Fields: `config`, `line`, `column`, `problem`.
    case configurationInvalid = "configuration-invalid"
    /// A reload has taken the configuration over. Fields: `config`, `relays`, `added`, `changed`, `removed`,
    /// `needs-restart`, `took-usec`.
    case configurationReloaded = "configuration-reloaded"
    /// A reload has changed nothing: the configuration is wrong, or the system refuses what it asks for. Fields: `config`,
    /// `line`, `problem`.
    case reloadFailed = "reload-failed"
    /// A listener could not be opened or has failed. Fields: `relay`, `listen`, `reason`.
    case listenerFailed = "listener-failed"
    /// Descriptors or memory ran out; accepting pauses. Fields: `relay`, `listen`, `reason`, `pause-usec`.
    case acceptBackoff = "accept-backoff"
    /// A relay or the daemon is at its connection limit; further clients wait. Fields: `relay`, `limit`.
    case connectionLimitReached = "connection-limit-reached"
    /// An upstream cannot be reached. Fields: `relay`, `upstream`, `reason`.
    case upstreamFailed = "upstream-failed"
    /// An upstream of several (or one with health checks) is not well: it is used only when no other is left. Fields:
    /// `relay`, `upstream`, `reason`, `healthy`, `upstreams`.
    case upstreamDown = "upstream-down"
    /// Such an upstream is well again. Fields: `relay`, `upstream`, `healthy`, `upstreams`.
    case upstreamUp = "upstream-up"
    /// The name of an upstream stands for others than before. Fields: `relay`, `upstream`, `added`, `removed`.
    case upstreamMembersChanged = "upstream-members-changed"
    /// A host name has no address. Fields: `relay`, `name`, `reason`.
    case nameUnresolved = "name-unresolved"
    /// A connection that asked for multipath runs over plain TCP. Fields: `relay`, `upstream` or `client`, `reason`.
    case fallbackDetected = "fallback-detected"
    /// This kernel or its settings give no MPTCP at all. Fields: `reason`.
    case multipathUnavailable = "multipath-unavailable"
    /// A socket option of the configuration does not work on this kind of socket here. Fields: `relay`, `option`,
    /// `reason`.
    case optionUnsupported = "option-unsupported"
    /// Something configured needs a privilege that the process does not have. Fields: `capability`, `feature`.
    case capabilityMissing = "capability-missing"
    /// The service manager passed a socket that no listener names. Fields: `name`, `descriptor`.
    case inheritedSocketUnused = "inherited-socket-unused"
    /// A link can be used, for the first time or again. Fields: `link`, `interface`, `address`, `state`.
    case linkUp = "link-up"
    /// A link cannot be used; what went over it goes over the others. Fields: `link`, `interface`, `address`, `state`, `why`.
    case linkDown = "link-down"
    /// A link became backup, or is no longer. Fields: `link`, `interface`, `backup`, `why`.
    case linkBackup = "link-backup"
    /// A subflow that made no progress was closed; the connection goes on over its others. Fields: `link`, `local`,
    /// `remote`.
    case subflowLeft = "subflow-left"
    /// Somebody else manages MPTCP endpoints or limits here, or did. Fields: `reason`, and `link` or `process`.
    case otherPathManager = "other-path-manager"
    /// What links have carried this month cannot be kept on disk, or was lost. Fields: `file`.
    case usageNotKept = "usage-not-kept"
    /// The kernel refused an endpoint, a limit or a route of a link. Fields: `operation`, `reason`.
    case pathRefused = "path-refused"
    /// An event loop makes no progress; the watchdog is not served. Fields: `loop`, `watchdog-usec`.
    case loopStuck = "loop-stuck"
    /// Log records were lost because they came faster than they could be written. Fields: `records`, `undelivered`.
    case recordsDropped = "records-dropped"
    /// With `log-connections = false`: more clients were refused in a second than are logged. Fields: `records`.
    case refusalsSuppressed = "refusals-suppressed"
    /// Somebody changed something through the admin socket. Fields: `action`, `uid`, `pid`, and what was changed
    /// (`connection`, `link`, `relay`, `upstream`).
    case adminChange = "admin-change"
    /// The commands cannot reach this daemon, for the default admin socket could not be opened. Fields: `socket`, `reason`.
    case adminUnavailable = "admin-unavailable"
    /// The service manager's notification socket does not answer. Fields: `reason`.
    case serviceManagerUnreachable = "service-manager-unreachable"

    /// The metadata key under which a record carries its ``messageID``; log handlers treat it specially.
    public static let messageIDKey = "message-id"

    /// The metadata key under which a record carries the name of its kind: `BRAID_EVENT`, `event`.
    public static let nameKey = "event"

    /// The 128-bit identifier as 32 hexadecimal digits, as `MESSAGE_ID=` wants it.
    public var messageID: String {
        switch self {
        case .daemonStarted: "c8054e1bcbb34712b30cd23be96c3ba1"
        case .daemonReady: "6aa59168af804b58b8227d14309580dc"
        case .daemonStopping: "812b6d351ce9469c950324f88247afd3"
        case .daemonStopped: "4770c84042894f8a8a5d89636034b160"
        case .handedOver: "fa52d344733041eea42fed966c3ce532"
        case .drainTimeout: "4909384d84b147199ba46308d68595c7"
        case .connectionEnded: "a12d4d74e31f45fea32c2c4147511539"
        case .configurationInvalid: "9f8b485c3e224c7291106778e75c8434"
        case .configurationReloaded: "c703e0a3e9e74aa39bc5924c87416a63"
        case .reloadFailed: "3ccae16203dc44b48a19c9cba0b578a0"
        case .listenerFailed: "d33010fc32bf44a6af1dc42b72c970a5"
        case .acceptBackoff: "587bc162681847b7a491af26ce15db00"
        case .connectionLimitReached: "b53fe1699e48499b9503716b4f4d58f5"
        case .upstreamFailed: "dc8e2e6103804011815b72460387a599"
        case .upstreamDown: "ae4afb7f8c634b6b974a844bba024bdd"
        case .upstreamUp: "b2106c21f9ef42ca97064322cd48fcef"
        case .upstreamMembersChanged: "8ace417df3914b45afc60a1cd27f0604"
        case .nameUnresolved: "ac869a93fbb74192901b34f39f33a29c"
        case .fallbackDetected: "ec40fb1e296e47b6b5412a62db4af6ef"
        case .multipathUnavailable: "c7f103d01b074b418a6389244b35a7ac"
        case .optionUnsupported: "b359540579b9403b8e1d668d5fde1276"
        case .capabilityMissing: "93bfc9af797140c38d8466efb4b78bf5"
        case .inheritedSocketUnused: "124acae096e04645821ab9f5be70f3ee"
        case .linkUp: "8267c8807ce647c58ebc802871f22a14"
        case .linkDown: "807992718abb457286ba752c11cd87ad"
        case .usageNotKept: "5d0c1c2a6f3f4d3a9b61b7a3c2c8e914"
        case .linkBackup: "900acf0be42e4842b3b08f160510880b"
        case .subflowLeft: "82b51f0a8c4d456e85a3fbda89fef7d5"
        case .otherPathManager: "661edd8136224827ae7d90449ac1948b"
        case .pathRefused: "d371219481d9445181205f40f657e930"
        case .loopStuck: "eaa76ac32f7f44a7bc7a558f92636efd"
        case .recordsDropped: "c2a6ac5aed334d388405c91d05024e5f"
        case .refusalsSuppressed: "7be35d3c9f8a4f0d8f1c6a2e5d904b37"
        case .adminChange: "19b0deae60be4cd99618b5d15f52bd92"
        case .adminUnavailable: "54b926265b774a6ba3c65ae42be2473d"
        case .serviceManagerUnreachable: "63b6c3298c124cdda30db0fb6b1ecfb5"
        }
    }

    /// How severe an event of this kind is when nothing else is said.
    public var level: Logger.Level {
        switch self {
        case .loopStuck: .critical
        case .configurationInvalid, .reloadFailed, .listenerFailed, .multipathUnavailable: .error
        case .drainTimeout, .acceptBackoff, .connectionLimitReached, .upstreamFailed,
            .upstreamDown,
            .nameUnresolved, .fallbackDetected, .optionUnsupported, .capabilityMissing, .inheritedSocketUnused,
            .recordsDropped, .refusalsSuppressed, .adminUnavailable, .serviceManagerUnreachable, .linkDown,
            .usageNotKept, .otherPathManager,
            .pathRefused:
            .warning
        case .daemonStarted, .handedOver, .configurationReloaded, .daemonReady, .daemonStopping, .daemonStopped,
            .linkUp,
            .linkBackup, .adminChange,
            .upstreamUp,
            .upstreamMembersChanged:
            .notice
        case .connectionEnded, .subflowLeft: .info
        }
    }
}

extension Logger {
    /// Logs an event of a known kind: the record carries the kind's name and `MESSAGE_ID` beside `metadata`.
    ///
    /// - Parameters:
    ///   - kind: What happened.
    ///   - message: One sentence for people.
    ///   - level: How severe, when not what is usual for this kind.
    ///   - metadata: The event's fields, keys in lower case with `-`. Numbers as `.stringConvertible(number)`, so that
    ///     JSON shows them as numbers.
    public func event(
        _ kind: EventKind,
        _ message: @autoclosure () -> Logger.Message,
        level: Logger.Level? = nil,
        metadata: @autoclosure () -> Logger.Metadata = [:],
        file: String = #fileID,
        function: String = #function,
        line: UInt = #line
    ) {
        log(
            level: level ?? kind.level,
            message(),
            metadata: {
                var fields = metadata()
                fields[EventKind.messageIDKey] = .string(kind.messageID)
                fields[EventKind.nameKey] = .string(kind.rawValue)
                return fields
            }(),
            file: file, function: function, line: line)
    }
}
