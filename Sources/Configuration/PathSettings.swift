/// `[paths]` and `[[paths.link]]`
public struct PathSettings: Sendable, Equatable {
    /// When a subflow that acknowledges nothing, while another works, is left.
    public enum StallTimeout: Sendable, Equatable {
        /// From its round-trip time and variance.
        case automatic
        /// 10 ms to 1 minute.
        case fixed(Duration)
    }

    /// Whether Braid owns this network namespace's MPTCP endpoints and limits. Default: false.
    public var manage = false
    /// Subflows of a connection, besides the first: 0 to 8 (the kernel's bound), default 8.
    public var maxSubflows = 8
    /// How many announced addresses are accepted: 0 to 8, default 8.
    public var maxAnnounced = 8
    /// Shell patterns of interfaces that a link with interface `*` leaves out.
    public var exclude = PathSettings.defaultExclude
    /// Whether Braid keeps a routing rule and table for each link. Default: false.
    public var routing = false
    /// Dialling: how long before the next link or address is tried beside the first. 10 ms to 1 minute, default 250 ms.
    public var raceDelay = Duration.milliseconds(250)
    /// Default: automatic.
    public var stallTimeout = StallTimeout.automatic
    /// `guard`: whether a link whose use makes connections slower becomes backup. Default: true.
    public var guardsLinks = true
    /// `[[paths.link]]`, in the order of the files.
    public var links: [LinkSettings] = []
    /// Where the keys are written.
    public var locations: KeyLocations

    /// What `exclude` is by default.
    public static let defaultExclude = ["lo", "docker*", "veth*", "wg*"]

    init(locations: KeyLocations) { self.locations = locations }
}

/// `[[paths.link]]`
public struct LinkSettings: Sendable, Equatable {
    /// What the link is made of.
    public enum Target: Sendable, Equatable {
        /// A local interface by name, or every suitable one: `*`.
        case interface(String)
        /// A local address.
        case address(IPAddress)
    }

    /// What happens past the monthly limit.
    public enum OverLimit: String, Sendable, CaseIterable {
        case backup, off
    }

    /// Unique; by default the interface's name (each interface's own for `*`), or the address.
    public var name: String
    /// Exactly one of `interface` and `address`.
    public var target: Target
    /// Whether it carries data only while no other link works. Default: false.
    public var backup = false
    /// Lower is dialled first; equal = the better of late. 0 to 1000, default 0.
    public var priority = 0
    /// Above it the link becomes backup. 1 ms to 1 minute; zero (the default) = no such rule.
    public var maxRTT = Duration.zero
    /// Above this fraction of segments lost the link becomes backup. 0 (the default, no such rule) to 1.
    public var maxLoss = 0.0
    /// Bytes a month; 0 (the default) = no limit.
    public var monthlyLimit = 0
    /// Default: backup.
    public var overLimit = OverLimit.backup
    /// Whether it opens a subflow to every address that a peer announces, besides the one to the first. Default: false.
    public var fullMesh = false
    /// Whether it is announced to peers. Default: true for an address, false for an interface.
    public var announce: Bool
    /// The port to announce with; 0 (the default) = none.
    public var port: UInt16 = 0
    /// Where the keys are written.
    public var locations: KeyLocations

    init(name: String, target: Target, locations: KeyLocations) {
        self.name = name
        self.target = target
        if case .address = target { announce = true } else { announce = false }
        self.locations = locations
    }
}
