internal import LinuxSystem
internal import MultipathTCP

/// When a subflow is held for dead: it acknowledges nothing for longer than its round-trip time explains, and loss by chance
/// does not explain it either.
///
/// One segment without an answer is a dead link where nothing was ever lost, and nothing at all where one segment in fifty is
/// lost. So what was lost before, here and on the local address, decides how many segments have to be without an answer.
struct StallRule {
    /// `paths.stall-timeout` in nanoseconds; 0 follows round-trip time and variance.
    var timeout: UInt64 = 0

    /// What is remembered of a subflow with data outstanding, from one look to the next.
    struct Progress {
        /// The kernel's number, `.max` for a free place.
        var id: UInt32 = .max
        /// As of `since`.
        var retransmits: UInt32 = 0
        var segmentsSent: UInt32 = 0
        var acknowledged: UInt64 = 0
        /// From when on nothing was acknowledged, as far as was looked.
        var since = MonotonicTime(nanoseconds: 0)
        /// Segments without an answer at `marked`, and at the mark before, which is a patience or more ago.
        var unanswered: UInt32 = 0
        var longUnanswered: UInt32 = 0
        var marked = MonotonicTime(nanoseconds: 0)
        /// The place of its local address in the loop's accounts.
        var local: UInt8 = 0
        /// Nothing was acknowledged for half its patience or more.
        var isSlow = false
        var isReported = false
    }

    enum Judgement {
        case moves
        /// Nothing is acknowledged; too early to tell.
        case slow
        case dead
    }

    /// The first look at a subflow with data outstanding, or the first after something was acknowledged.
    func begin(_ subflow: Subflow, place: Int, now: MonotonicTime) -> Progress {
        Progress(
            id: subflow.id ?? 0, retransmits: subflow.tcp.retransmits, segmentsSent: subflow.tcp.segmentsSent,
            acknowledged: subflow.tcp.bytesAcknowledged, since: sent(subflow.tcp, now),
            unanswered: Self.unanswered(subflow.tcp, since: subflow.tcp.retransmits),
            marked: now, local: UInt8(place))
    }

    /// Judges a subflow with data outstanding.
    ///
    /// - Parameters:
    ///   - progress: since when nothing was acknowledged, and what had been sent then; is brought up to date.
    ///   - local: what is known of its local address.
    func judge(
        _ tcp: TCPStatistics, _ progress: inout Progress, _ local: LinkAccounts.Local, now: MonotonicTime
    ) -> Judgement {
        let patience = patience(tcp)
        let silence = UInt64(tcp.lastAcknowledgementMilliseconds) * 1_000_000
        let stuck = now.since(progress.since)
        // A segment that was just sent is no witness.
        let unanswered = Self.unanswered(tcp, since: progress.retransmits)
        if UInt64(tcp.lastDataSentMilliseconds) * 1_000_000 > patience {
            progress.longUnanswered = unanswered
        } else if now.since(progress.marked) > patience {
            progress.longUnanswered = progress.unanswered
            progress.unanswered = unanswered
            progress.marked = now
        }
        // Segments that come from the peer, even its repetitions, show that one direction lives; not for ever.
        let lives = silence <= patience && tcp.retransmissionsInRow < 3
        progress.isSlow = min(stuck, silence) > patience / 2
        guard stuck > patience, !lives else { return progress.isSlow ? .slow : .moves }
        progress.isSlow = true
        if timeout != 0 { return .dead }
        if isClean(progress, local, patience) { return progress.longUnanswered >= 1 ? .dead : .slow }
        let needed = Self.needed(progress, local)
        guard progress.longUnanswered >= needed else { return .slow }
        // Slow start loses a few, and then none: what a window without an answer says is not less for that.
        let isWindowful = progress.longUnanswered >= 3 * needed && isClean(progress, local, patience, oneIn: 200)
        let least = isWindowful ? min(probed(tcp), Tuning.stallLeastWithLoss) : Tuning.stallLeastWithLoss
        return min(stuck, silence) > least ? .dead : .slow
    }

    /// When even the end of a burst would be answered that a short queue has thrown away as a whole: after two round trips the
    /// kernel sends its last segment once more (RFC 8985, section 7.2). Where a queue stands, that does not happen: each segment
    /// that leaves it makes room for one.
    ///
    /// Where more is lost this is too soon: a receiver whose buffer is full drops what comes after a lost segment without a
    /// word, until the retransmission timer has run.
    private func probed(_ tcp: TCPStatistics) -> UInt64 {
        Self.leastRoundTrip(tcp) * 4_000 + UInt64(tcp.roundTripVarianceMicroseconds) * 4_000
    }

    /// The first look comes a little after the sending.
    private func sent(_ tcp: TCPStatistics, _ now: MonotonicTime) -> MonotonicTime {
        let age = min(UInt64(tcp.lastDataSentMilliseconds) * 1_000_000, Tuning.lookInterval * 3 / 2)
        return MonotonicTime(nanoseconds: now.nanoseconds - min(age, now.nanoseconds))
    }

    /// Segments sent, first or again, that nothing says have come.
    private static func unanswered(_ tcp: TCPStatistics, since before: UInt32) -> UInt32 {
        let there = min(tcp.selectivelyAcknowledgedSegments, tcp.unacknowledgedSegments)
        return tcp.unacknowledgedSegments - there + (tcp.retransmits &- before)
    }

    /// How long nothing may be acknowledged: three round trips of the path and four deviations.
    ///
    /// What the round trip has more than the path takes is a queue, most often this connection's own, out of which
    /// acknowledgements come one after the other: half of it on top is enough.
    private func patience(_ tcp: TCPStatistics) -> UInt64 {
        if timeout != 0 { return timeout }
        let smoothed = UInt64(tcp.roundTripMicroseconds)
        let roundTrip = max(Self.leastRoundTrip(tcp) * 3_000, smoothed * 1_500)
        let deviation = UInt64(tcp.roundTripVarianceMicroseconds) * 4_000
        return max(Tuning.stallLeast, roundTrip + deviation)
    }

    /// That of the path without a queue, in microseconds.
    private static func leastRoundTrip(_ tcp: TCPStatistics) -> UInt64 {
        let smoothed = UInt64(tcp.roundTripMicroseconds)
        let least = UInt64(tcp.minimumRoundTripMicroseconds)
        return least == 0 ? smoothed : min(least, smoothed)
    }

    /// Whether nothing is lost by chance, so that one segment without an answer says it all.
    private func isClean(
        _ progress: Progress, _ local: LinkAccounts.Local, _ patience: UInt64, oneIn: UInt64 = 2_000
    ) -> Bool {
        // Another connection was answered here since: the address is not dead as a whole.
        if local.lastAcknowledgement > progress.since + patience / 2 { return false }
        if Self.isClean(UInt64(progress.segmentsSent), UInt64(progress.retransmits), oneIn) { return true }
        return progress.retransmits == 0 && Self.isClean(local.segments, local.retransmits, oneIn)
    }

    /// Nothing was lost in many segments, or next to nothing in very many.
    private static func isClean(_ segments: UInt64, _ retransmits: UInt64, _ oneIn: UInt64) -> Bool {
        segments >= Tuning.lossKnown && retransmits * oneIn <= segments
    }

    /// How many segments without an answer are not chance any more: the answer may be lost as well as the segment, and once
    /// in some million segments all of them are.
    private static func needed(_ progress: Progress, _ local: LinkAccounts.Local) -> UInt32 {
        let segments = UInt64(progress.segmentsSent) + local.segments
        let retransmits = UInt64(progress.retransmits) + local.retransmits
        let lost = segments < Tuning.lossKnown ? 4 : 200 * retransmits / segments
        switch lost {
        case ...5: return 4
        case ...10: return 5
        case ...20: return 7
        default: return 10
        }
    }
}
