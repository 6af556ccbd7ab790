internal import LinuxSystem
internal import Paths

/// When to look whether the kernel still has the endpoints and limits that it should: others who change them make no event.
///
/// It is looked after a subflow has ended, now and then while connections come and go, and again, with a back-off, while the
/// kernel refuses something. While nothing happens it is not looked.
struct EndpointUpkeep {
    /// When to look next; `never` while nothing is suspected.
    private(set) var next = MonotonicTime.never
    private var last = MonotonicTime(nanoseconds: 0)
    /// Failures in a row.
    private var failures: UInt64 = 0
    /// What was refused and told since the last success.
    private var told: Set<String> = []

    /// Subflows end together: one look does for them.
    private static let delay: UInt64 = 50_000_000
    /// The least time between two looks that subflows cause, and between those that connections cause.
    private static let pause: UInt64 = 1_000_000_000
    private static let longPause: UInt64 = 5_000_000_000
    private static let longestRetry: UInt64 = 60_000_000_000

    /// Something happened that may come from a missing endpoint.
    mutating func suspect(_ now: MonotonicTime) {
        next = min(next, max(now + Self.delay, last + Self.pause))
    }

    /// Something happened at which it is worth a look if there was none for long.
    mutating func suspectSeldom(_ now: MonotonicTime) {
        if now.since(last) > Self.longPause { next = min(next, now + Self.delay) }
    }

    /// It is looked now.
    mutating func checked(_ now: MonotonicTime) {
        next = .never
        last = now
    }

    /// The kernel has been made what is wanted, or has refused some of it.
    mutating func took(_ report: EndpointKeeper.Report, _ now: MonotonicTime) {
        next = min(next, report.retry)
        if !report.failed.isEmpty { return failed(now) }
        failures = 0
        told = []
    }

    /// The kernel could not be asked, or refused something: it is tried again.
    mutating func failed(_ now: MonotonicTime) {
        next = min(next, now + min(Self.pause << min(failures, 6), Self.longestRetry))
        failures += 1
    }

    /// Whether a refusal was not told yet.
    mutating func isNews(_ refusal: String) -> Bool { told.insert(refusal).inserted }
}
