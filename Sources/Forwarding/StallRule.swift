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

    /// Judges a subflow with data outstanding.
    ///
    /// - Parameters:
    ///   - progress: since when nothing was acknowledged, and what had been sent then.
    ///   - local: what is known of its local address.
    func judge(_ tcp: TCPStatistics, _ progress: Progress, _ local: LinkAccounts.Local, now: MonotonicTime) -> Judgement
    {
        let patience = patience(tcp)
        let silence = UInt64(tcp.lastAcknowledgementMilliseconds) * 1_000_000
        // Either clock may run late: looks begin after the sending, and what was sent last may be a repetition.
        let stuck = max(now.since(progress.since), UInt64(tcp.lastDataSentMilliseconds) * 1_000_000)
        // Segments that come from the peer, even its repetitions, show that one direction lives; not for ever.
        let lives = silence <= patience && tcp.retransmissionsInRow < 3
        guard stuck > patience, !lives else { return min(stuck, silence) > patience / 2 ? .slow : .moves }
        if timeout != 0 { return .dead }
        let unanswered = max(1, tcp.unacknowledgedSegments) + (tcp.retransmits &- progress.retransmits)
        return unanswered >= needed(progress, local, patience) ? .dead : .slow
    }

    /// How long nothing may be acknowledged: three round trips and four deviations.
    private func patience(_ tcp: TCPStatistics) -> UInt64 {
        if timeout != 0 { return timeout }
        let roundTrip = UInt64(tcp.roundTripMicroseconds) * 3_000
        let deviation = UInt64(tcp.roundTripVarianceMicroseconds) * 4_000
        return max(Tuning.stallLeast, roundTrip + deviation)
    }

    /// How many segments without an answer are not chance any more.
    private func needed(_ progress: Progress, _ local: LinkAccounts.Local, _ patience: UInt64) -> UInt32 {
        // Another connection was answered here since: the address is not dead as a whole.
        let othersLive = local.lastAcknowledgement > progress.since + patience / 2
        let own = (segments: UInt64(progress.segmentsSent), retransmits: UInt64(progress.retransmits))
        if !othersLive, Self.isClean(own.segments, own.retransmits) { return 1 }
        if !othersLive, own.retransmits == 0, Self.isClean(local.segments, local.retransmits) { return 1 }
        // The answer may be lost as well as the segment. The chance is that once in some million segments all are.
        let segments = own.segments + local.segments
        let lost = segments < Tuning.lossKnown ? 4 : 200 * (own.retransmits + local.retransmits) / segments
        switch lost {
        case ...5: return 4
        case ...10: return 5
        case ...20: return 7
        default: return 10
        }
    }

    /// Nothing was lost in many segments, or next to nothing in very many.
    private static func isClean(_ segments: UInt64, _ retransmits: UInt64) -> Bool {
        segments >= Tuning.lossKnown && retransmits * 2_000 <= segments
    }
}
