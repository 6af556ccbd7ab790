internal import LinuxSystem

/// How a link has been of late, from what bulk connections did over it.
struct LinkFigures: Sendable {
    /// Of its own subflows.
    var delivered = RateHistory()
    /// The best rate that it was seen to carry, in bytes a second; it fades, for links change.
    private(set) var best = 0.0
    /// Smoothed round-trip time in seconds; 0 when unknown.
    private(set) var roundTrip = 0.0
    /// The least of late, which is what the path takes without a queue.
    private(set) var leastRoundTrip = 0.0
    /// The fraction of segments lost of late; 0 while this side sends too little to know.
    private(set) var loss = 0.0
    /// Losses slow its subflows down.
    private(set) var lossSlowsDown = false

    /// How long what waits to be acknowledged takes at the rate of late, in seconds; 0 while this side sends nothing.
    private(set) var delay = 0.0
    /// The part of the time in which the receiver's window kept its subflows from sending.
    private(set) var windowLimited = 0.0

    private var segments = 0.0
    private var retransmits = 0.0

    /// Over how long a rate must last to count as carried: shorter peaks are holes being filled.
    private static let peak: UInt64 = 500_000_000
    /// The fading of `best` at each sample, some ten a second: a half in a minute.
    private static let fading = 0.999
    /// How fast `leastRoundTrip` forgets, at each sample: twice as much in a minute.
    private static let growth = 1.001
    private static let segmentsToJudge = 200.0
    /// Beyond this a delay is as good as any other.
    private static let longestDelay = 10.0

    mutating func take(_ sample: GuardSample.Link, at time: MonotonicTime, span: UInt64) {
        delivered.add(sample.delivered, at: time, span: span)
        best *= Self.fading
        if let rate = sustained(at: time) { best = max(best, rate) }
        if sample.roundTrip > 0 {
            let now = Double(sample.roundTrip) / 1e6
            roundTrip = roundTrip == 0 ? now : 0.7 * roundTrip + 0.3 * now
            leastRoundTrip = leastRoundTrip == 0 ? now : min(leastRoundTrip * Self.growth, now)
        }
        lossSlowsDown = sample.lossSlowsDown
        if span > 0 {
            let part = min(1, Double(sample.windowLimited) / Double(span))
            windowLimited = 0.8 * windowLimited + 0.2 * part
        }
        if sample.unacknowledged > 0, let rate = sustained(at: time), rate > 0 {
            delay = 0.8 * delay + 0.2 * min(Double(sample.unacknowledged) / rate, Self.longestDelay)
        } else {
            delay *= 0.8
        }
        segments += Double(sample.segments)
        retransmits += Double(sample.retransmits)
        if segments >= Self.segmentsToJudge {
            loss = retransmits / segments
            segments /= 2
            retransmits /= 2
        }
    }

    /// What was carried in each half of the time that counts: a hole that is filled shows in one half only.
    private func sustained(at time: MonotonicTime) -> Double? {
        let middle = MonotonicTime(nanoseconds: time.nanoseconds - min(Self.peak / 2, time.nanoseconds))
        let start = MonotonicTime(nanoseconds: time.nanoseconds - min(Self.peak, time.nanoseconds))
        guard let early = delivered.rate(from: start, to: middle), let late = delivered.rate(from: middle, to: time)
        else { return nil }
        return min(early, late)
    }

    /// The link is used anew: what it showed before says nothing about now.
    mutating func restart() {
        delivered.clear()
        roundTrip = 0
        leastRoundTrip = 0
        loss = 0
        delay = 0
        windowLimited = 0
        segments = 0
        retransmits = 0
    }
}
