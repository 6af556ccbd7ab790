internal import CLinux

/// A moment of `CLOCK_MONOTONIC`, in nanoseconds: what timers and durations are measured by.
public struct MonotonicTime: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start.
    public var nanoseconds: UInt64

    /// A moment by its nanoseconds.
    @inlinable
    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment that never comes.
    @inlinable
    public static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    /// The clock now.
    public static func now() -> MonotonicTime {
        MonotonicTime(nanoseconds: linux_monotonic_ns())
    }

    /// Earlier or not.
    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// A later moment; past the end of time it is `never`.
    @inlinable
    public static func + (left: MonotonicTime, nanoseconds: UInt64) -> MonotonicTime {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// Nanoseconds from `earlier` to here, 0 when `earlier` is later.
    @inlinable
    public func since(_ earlier: MonotonicTime) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

/// Wall-clock time (`CLOCK_REALTIME`) in nanoseconds since 1970, for log records only.
public func wallClockNanoseconds() -> UInt64 {
    linux_realtime_ns()
}

extension Duration {
    /// The duration in whole nanoseconds; negative ones are 0, those beyond 584 years the largest number.
    public var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return .max }
        let (sum, overflowed) = product.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return overflowed ? .max : sum
    }
}
