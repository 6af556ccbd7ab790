/// What the configuration says of a link's use: `[[paths.link]]`.
public struct LinkRules: Sendable, Hashable {
    /// What becomes of a link past its monthly limit.
    public enum OverLimit: Sendable, Hashable {
        /// It carries data only while no other link works.
        case backup
        /// It is not used at all.
        case off
    }

    /// Above it the link becomes backup, in microseconds; 0: no such rule.
    public var maxRoundTrip: UInt64
    /// Above this fraction of segments lost it becomes backup; 0: no such rule.
    public var maxLoss: Double
    /// Bytes a month; 0: no limit.
    public var monthlyLimit: UInt64
    /// What becomes of it past that.
    public var overLimit: OverLimit

    /// Rules of their parts.
    public init(
        maxRoundTrip: UInt64 = 0, maxLoss: Double = 0, monthlyLimit: UInt64 = 0, overLimit: OverLimit = .backup
    ) {
        self.maxRoundTrip = maxRoundTrip
        self.maxLoss = maxLoss
        self.monthlyLimit = monthlyLimit
        self.overLimit = overLimit
    }

    /// Whether anything has to be measured for them.
    public var isEmpty: Bool { maxRoundTrip == 0 && maxLoss == 0 && monthlyLimit == 0 }
}
