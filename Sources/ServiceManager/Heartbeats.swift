/// Decides from the event loops' heartbeat counters whether the watchdog may be told that all is well.
///
/// A loop does not tick by itself, so that an idle daemon sleeps: at each look the supervisor first calls ``look(at:)``
/// with the counters as they are, and then asks every loop by its mailbox to add one to its counter. A loop that has
/// not done so by the next look is stuck.
public struct Heartbeats: Sendable, Equatable {
    private var last: [UInt64]?

    /// What a look found.
    public enum Verdict: Sendable, Equatable {
        /// Every loop made progress since the last look: send ``Notification/watchdog``.
        case ping
        /// These loops (by index) made none: send nothing.
        case stuck([Int])
    }

    /// Nothing seen yet: the first look always answers ``Verdict/ping``.
    public init() {}

    /// Compares the counters with those of the last look. Any change is progress, a wrapped counter too. A loop that
    /// was not there at the last look counts as moving.
    ///
    /// The counters are remembered whatever the verdict, so that a loop that was only slow is forgiven at the next look.
    public mutating func look(at counters: [UInt64]) -> Verdict {
        defer { last = counters }
        guard let last else { return .ping }
        let stuck = zip(last, counters).enumerated().filter { $0.element.0 == $0.element.1 }.map(\.offset)
        return stuck.isEmpty ? .ping : .stuck(stuck)
    }
}
