public import LinuxSystem

/// A link of the running daemon, for people and programs to see.
public struct LinkSnapshot: Sendable, Hashable {
    /// Whether it is used, or why not.
    public enum State: String, Sendable, Hashable, CaseIterable {
        case up
        /// There is no such interface or address.
        case absent
        /// The interface is switched off.
        case down
        case noCarrier = "no-carrier"
        case noAddress = "no-address"
        case noRoute = "no-route"
        /// What is sent over it is not acknowledged.
        case stalled
        /// Switched off by `braid link NAME --down`.
        case switchedOff = "switched-off"
        /// Past its `monthly-limit`, with `over-limit = "off"`.
        case overLimit = "over-limit"

        /// For people: `no carrier`.
        public var text: String {
            switch self {
            case .up: "up"
            case .absent: "no such interface or address"
            case .down: "the interface is switched off"
            case .noCarrier: "no carrier"
            case .noAddress: "no address"
            case .noRoute: "no default route"
            case .stalled: "nothing that is sent over it is acknowledged"
            case .switchedOff: "switched off by braid link"
            case .overLimit: "past its monthly limit"
            }
        }
    }

    /// Its number in this process: `LinkCandidate.id`.
    public var id: Int
    /// The configured name, or the interface's.
    public var name: String
    /// The interface's name; empty when there is none.
    public var interface: String
    /// The addresses that it uses, or used while it was up; best first, ports 0.
    public var addresses: [SocketAddress]
    /// Whether it is used, or why not.
    public var state: State
    /// Whether it carries data only while no other link works.
    public var isBackup: Bool
    /// Why it is backup, or why it is not although it is configured so; empty when there is nothing to say.
    public var why: String
    /// Whether it is announced to peers (far end) instead of dialled from (near end).
    public var isAnnounced: Bool
    /// Lower is dialled first.
    public var priority: Int

    /// A link of its parts.
    public init(
        id: Int, name: String, interface: String, addresses: [SocketAddress], state: State, isBackup: Bool, why: String,
        isAnnounced: Bool, priority: Int
    ) {
        self.id = id
        self.name = name
        self.interface = interface
        self.addresses = addresses
        self.state = state
        self.isBackup = isBackup
        self.why = why
        self.isAnnounced = isAnnounced
        self.priority = priority
    }
}

/// What `braid link` asks of a running daemon.
public enum LinkRequest: Sendable, Hashable {
    /// Carry data only while no other link works, or share it (`false`), whatever the configuration says.
    case backup(Bool)
    /// Do not use it.
    case down
    /// Use it again.
    case up
}
