internal import LinuxSystem

/// How many refusals go to the log in a second when connections are not logged: somebody who is refused as often as he likes
/// must not fill it. The others are counted.
struct RefusalLimit {
    static let perSecond = 100
    private static let second: UInt64 = 1_000_000_000

    private var left = perSecond
    private var ends = MonotonicTime(nanoseconds: 0)
    private var suppressed = 0

    /// When the count is to be told; `.never` when there is none.
    var deadline: MonotonicTime { suppressed > 0 ? ends : .never }

    /// Whether one more may be logged.
    mutating func mayLog(_ now: MonotonicTime) -> Bool {
        if now >= ends, suppressed == 0 {
            left = Self.perSecond
            ends = now + Self.second
        }
        guard left > 0 else {
            suppressed += 1
            return false
        }
        left -= 1
        return true
    }

    /// How many were left out in the second that is over.
    mutating func takeSuppressed(_ now: MonotonicTime) -> Int {
        guard suppressed > 0, now >= ends else { return 0 }
        defer {
            suppressed = 0
            left = Self.perSecond
            ends = now + Self.second
        }
        return suppressed
    }
}
