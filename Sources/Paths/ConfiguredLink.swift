public import LinuxSystem

/// A link as the configuration has it: `[[paths.link]]`.
public struct ConfiguredLink: Sendable, Hashable {
    /// What the link is made of.
    public enum Target: Sendable, Hashable {
        /// An interface by its name; `*` is every interface with a global address and a default route.
        case interface(String)
        /// An address, whichever interface has it.
        case address(SocketAddress)
    }

    /// What it is called; links of `*` are called as their interfaces.
    public var name: String
    /// What it is made of.
    public var target: Target
    /// Whether it carries data only while no other link works.
    public var isBackup: Bool
    /// Whether its addresses are announced to peers (far end) instead of used to open subflows (near end).
    public var isAnnounced: Bool
    /// The port to announce, 0 for none.
    public var port: UInt16
    /// Whether a subflow is opened from it to every address that a peer announces.
    public var isFullMesh: Bool
    /// Lower comes first.
    public var priority: Int
    /// What its use is subject to.
    public var rules: LinkRules

    /// A link of its parts.
    public init(
        name: String, target: Target, isBackup: Bool = false, isAnnounced: Bool = false, port: UInt16 = 0,
        isFullMesh: Bool = false, priority: Int = 0, rules: LinkRules = LinkRules()
    ) {
        self.name = name
        self.target = target
        self.isBackup = isBackup
        self.isAnnounced = isAnnounced
        self.port = port
        self.isFullMesh = isFullMesh
        self.priority = priority
        self.rules = rules
    }
}

/// A configured link as it is now.
public struct LinkStatus: Sendable, Hashable {
    /// Whether it can be used, or why not.
    public enum State: Sendable, Hashable {
        case up
        /// There is no such interface or address.
        case absent
        /// The interface is switched off.
        case down
        /// The interface has no carrier.
        case noCarrier
        /// The interface has no address that reaches beyond it.
        case noAddress
        /// The interface's default route is gone.
        case noRoute
    }

    /// What it is called: the configured name, or for `*` the interface's.
    public var name: String
    /// How it is configured.
    public var configured: ConfiguredLink
    /// The interface's number; 0 when there is none, or none is needed (an announced address that this host does not have,
    /// behind a translating router).
    public var interface: UInt32
    /// The interface's name, empty when there is none.
    public var interfaceName: String
    /// The addresses to use, best first; none unless it is up.
    public var addresses: [SocketAddress]
    /// Whether it can be used.
    public var state: State

    /// A link of its parts.
    public init(
        name: String, configured: ConfiguredLink, interface: UInt32, interfaceName: String,
        addresses: [SocketAddress], state: State
    ) {
        self.name = name
        self.configured = configured
        self.interface = interface
        self.interfaceName = interfaceName
        self.addresses = addresses
        self.state = state
    }
}
