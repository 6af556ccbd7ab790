internal import CLinux

/// The system's monotonic clock as systemd counts it.
enum MonotonicClock {
    /// Microseconds of `CLOCK_MONOTONIC`, which is the clock that `MONOTONIC_USEC=` means.
    static var microseconds: UInt64 {
        linux_monotonic_ns() / 1_000
    }
}

/// A moment of the wall clock in UTC, written as RFC 3339 with milliseconds: `2026-11-22T18:55:01.123Z`.
struct Timestamp: CustomStringConvertible {
    var seconds: Int
    var nanoseconds: Int

    /// Now.
    static var now: Timestamp {
        let now = linux_realtime_ns()
        return Timestamp(seconds: Int(now / 1_000_000_000), nanoseconds: Int(now % 1_000_000_000))
    }

    var description: String {
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let (year, month, day) = Self.date(days: days)
        let second = seconds - days * 86_400
        let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
        let time = "\(digits(second / 3_600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))"
        return "\(date)T\(time).\(digits(nanoseconds / 1_000_000, 3))Z"
    }

    /// The Gregorian date `days` after 1970-01-01.
    ///
    /// Years are counted from March, so that the leap day comes last and months have a regular length.
    static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468  // since 0000-03-01
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}

extension Duration {
    /// Whole microseconds, rounded towards zero; negative durations count as none, over-long ones as the longest.
    var wholeMicroseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflow2) = scaled.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000))
        return overflow || overflow2 ? .max : sum
    }
}
