import LinuxSystem
import Paths

/// Links as the guard sees them, ten samples a second: what the whole and each link carry follows from which links are in
/// use, and for how long they have been.
struct EmulatedPaths {
    /// What a set of links in use carries.
    struct Behaviour {
        /// Of the whole, in Mbit/s.
        var whole: Double
        /// Of each link.
        var links: [Int: Double]
    }

    var guarding = LinkGuard()
    var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
    var usable: [Int]
    /// In milliseconds.
    var roundTrips: [Int: Double]
    var loss: [Int: Double] = [:]
    var lossSlowsDown = true
    /// For how long what is sent waits, in seconds.
    var delay: [Int: Double] = [:]
    /// The part of the time in which the receiver's window is full.
    var windowLimited: [Int: Double] = [:]
    /// Which links carry data at the time, and for how long just these did, in seconds.
    var behaviour: (Set<Int>, Double) -> Behaviour
    private(set) var decisions: [(seconds: Double, decision: GuardDecision)] = []
    private(set) var carried = 0.0
    private var changed = 0.0
    private var seconds = 0.0

    init(
        usable: [Int], roundTrips: [Int: Double], behaviour: @escaping (Set<Int>, Double) -> Behaviour
    ) {
        self.usable = usable
        self.roundTrips = roundTrips
        self.behaviour = behaviour
    }

    /// The links in use.
    var active: Set<Int> { Set(usable.filter { guarding.reason(of: $0) == nil }) }

    /// Lets bulk data move for a time.
    mutating func run(seconds duration: Double, connections: Int = 1) {
        let end = seconds + duration
        while seconds < end - 0.001 {
            seconds += 0.1
            now = now + 100_000_000
            let before = active
            let behaviour = behaviour(before, seconds - changed)
            carried += behaviour.whole / 10
            guarding.take(
                GuardSample(
                    at: now, span: 100_000_000, connections: connections, delivered: Self.bytes(behaviour.whole),
                    links: usable.map { id in
                        let rate = before.contains(id) ? behaviour.links[id] ?? 0 : 0
                        let segments = UInt64(rate * 1e6 / 8 / 10 / 1448)
                        return GuardSample.Link(
                            id: id, delivered: Self.bytes(rate), segments: segments,
                            retransmits: UInt64(Double(segments) * (loss[id] ?? 0)),
                            roundTrip: UInt32((roundTrips[id] ?? 0) * 1000), lossSlowsDown: lossSlowsDown,
                            unacknowledged: UInt64(rate * 1e6 / 8 * (delay[id] ?? 0)),
                            windowLimited: rate > 0 ? UInt64(1e8 * (windowLimited[id] ?? 0)) : 0)
                    }))
            decide()
            if active != before { changed = seconds }
        }
    }

    /// The transfer has ended.
    mutating func end() {
        guarding.take(GuardSample(at: now, span: 0, connections: 0, delivered: 0, links: []))
        decide()
    }

    mutating func decide() {
        for decision in guarding.decide(usable, now: now) { decisions.append((seconds, decision)) }
    }

    private static func bytes(_ megabits: Double) -> UInt64 { UInt64(max(0, megabits) * 1e6 / 8 / 10) }
}
