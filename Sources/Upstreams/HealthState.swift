public import LinuxSystem

/// Whether one member of a pool is well, by what checks and connections say of it.
///
/// The first result decides at once; after that it takes `fall` failures in a row to be unwell and `rise` successes to be
/// well again. A member that keeps coming and going has to stay well for longer and longer before it is taken back, so
/// that a pool does not swing between its members.
public struct HealthState: Sendable {
    /// A member that fails within this time after it came back is unsteady.
    private static let steadyAfter: UInt64 = 60_000_000_000
    /// `rise` is doubled at most so often.
    private static let mostDoublings = 3

    private let rise: Int
    private let fall: Int
    /// What is to be believed now.
    public private(set) var isHealthy = true
    /// Whether anything has been heard yet.
    public private(set) var isKnown = false
    private var streak = 0
    private var doublings = 0
    private var cameBack = MonotonicTime(nanoseconds: 0)

    /// - Parameters:
    ///   - rise: successes in a row that make a member healthy.
    ///   - fall: failures in a row that make it unhealthy.
    ///   - isHealthy: what is known already; `nil`: nothing.
    public init(rise: Int, fall: Int, isHealthy: Bool? = nil) {
        self.isHealthy = isHealthy ?? true
        isKnown = isHealthy != nil
        self.rise = max(1, rise)
        self.fall = max(1, fall)
    }

    /// Successes in a row that the member needs to be healthy again.
    public var needed: Int { rise << doublings }

    /// Takes a result.
    ///
    /// - Returns: true when `isHealthy` has changed.
    public mutating func note(success: Bool, now: MonotonicTime) -> Bool {
        defer { isKnown = true }
        guard isKnown else {
            streak = 0
            isHealthy = success
            return !success
        }
        if success == isHealthy {
            streak = 0
            return false
        }
        streak += 1
        guard streak >= (success ? needed : fall) else { return false }
        streak = 0
        isHealthy = success
        if success {
            cameBack = now
        } else {
            let unsteady = cameBack.nanoseconds != 0 && now.since(cameBack) < Self.steadyAfter
            doublings = unsteady ? min(Self.mostDoublings, doublings + 1) : 0
        }
        return true
    }
}
