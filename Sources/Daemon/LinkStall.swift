internal import LinuxSystem

/// A link over which nothing gets through although its interface, address and route are well.
struct LinkStall {
    /// Since when.
    var began: MonotonicTime
    /// Whether its endpoints are there, so that connections try to join over it.
    var isTrying: Bool
    /// Whether the subflows over it are new: what was established before it stalled says nothing.
    var isRenewed = false
    /// When to begin trying, or to try anew.
    var next: MonotonicTime
    /// While no link works: when it was asked last whether anybody answers.
    var asked: MonotonicTime?
}

/// How often a link stalled of late: one that comes back only to stall again is tried less eagerly.
struct StallHistory {
    private var ended = MonotonicTime(nanoseconds: 0)
    private var relapses: UInt64 = 0

    /// A stall begins.
    ///
    /// - Returns: how long to leave the link alone before it is tried.
    mutating func begin(_ now: MonotonicTime) -> UInt64 {
        relapses = now.since(ended) < Self.memory ? min(relapses + 1, 8) : 0
        return relapses < 3 ? Self.firstPause : min(Self.firstPause << (relapses - 2), Self.longestPause)
    }

    /// It is over.
    mutating func end(_ now: MonotonicTime) {
        ended = now
    }

    private static let memory: UInt64 = 15_000_000_000
    private static let firstPause: UInt64 = 300_000_000
    private static let longestPause: UInt64 = 15_000_000_000
}
