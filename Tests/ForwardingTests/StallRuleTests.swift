import CLinux
import LinuxSystem
import Testing

@testable import Forwarding
@testable import MultipathTCP

/// When a subflow is held for dead.
@Suite struct StallRuleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private let clean = LinkAccounts.Local(address: .none, segments: 10_000, retransmits: 0)
    private let lossy = LinkAccounts.Local(address: .none, segments: 10_000, retransmits: 200)
    private let unknown = LinkAccounts.Local(address: .none)

    private func tcp(
        silent: UInt32, outstanding: UInt32 = 1, retransmits: UInt32 = 0, roundTrip: UInt32 = 20_000,
        inRow: UInt8 = 0
    ) -> TCPStatistics {
        var info = linux_tcp_info()
        info.state = 1
        info.rtt = roundTrip
        info.rttvar = roundTrip / 8
        info.unacked = outstanding
        info.last_ack_recv = silent
        info.last_data_sent = silent
        info.total_retrans = retransmits
        info.retransmits = inRow
        return TCPStatistics(info)
    }

    /// Bulk that stands in a queue.
    private func queue(silent: UInt32, roundTrip: UInt32, deviation: UInt32, least: UInt32) -> TCPStatistics {
        var info = linux_tcp_info()
        info.state = 1
        info.rtt = roundTrip
        info.rttvar = deviation
        info.min_rtt = least
        info.unacked = 100
        info.last_ack_recv = silent
        info.last_data_sent = silent
        return TCPStatistics(info)
    }

    /// Looks every 20 ms at a subflow that stays as it is, and answers the last judgement.
    private func judge(
        _ tcp: TCPStatistics, _ local: LinkAccounts.Local, after milliseconds: UInt64, own segments: UInt32 = 0,
        lost: UInt32 = 0, rule: StallRule = StallRule()
    ) -> StallRule.Judgement {
        var progress = StallRule.Progress(
            id: 1, retransmits: lost, segmentsSent: segments, since: start, unanswered: tcp.unacknowledgedSegments,
            marked: start)
        var judgement = StallRule.Judgement.moves
        for time in Array(stride(from: 0, to: milliseconds, by: 20)) + [milliseconds] {
            judgement = rule.judge(tcp, &progress, local, now: start + time * 1_000_000)
        }
        return judgement
    }

    @Test func oneSegmentIsEnoughWhereNothingIsLost() {
        #expect(judge(tcp(silent: 60), clean, after: 60) == .moves)
        #expect(judge(tcp(silent: 119), clean, after: 119) == .slow)
        #expect(judge(tcp(silent: 121), clean, after: 121) == .dead)
        #expect(judge(tcp(silent: 121), unknown, after: 121, own: 300) == .dead, "what it knows of itself suffices")
    }

    @Test func oneSegmentIsNotEnoughWhereSegmentsAreLost() {
        #expect(judge(tcp(silent: 500, retransmits: 1), lossy, after: 500) == .slow)
        #expect(judge(tcp(silent: 900, retransmits: 3), lossy, after: 900) == .dead)
        #expect(judge(tcp(silent: 150, outstanding: 10), lossy, after: 150) == .slow)
        #expect(judge(tcp(silent: 310, outstanding: 10), lossy, after: 310) == .dead, "a window full of them is")
        #expect(judge(tcp(silent: 150, retransmits: 20), lossy, after: 150, own: 1_000, lost: 20) == .slow)
    }

    /// Slow start loses a few, and then none: a window full of segments without an answer is no chance.
    @Test func aWindowWithoutAnAnswerIsEnoughWhereLittleIsLost() {
        let few = LinkAccounts.Local(address: .none, segments: 10_000, retransmits: 50)
        let silent = { (outstanding: UInt32) in tcp(silent: 200, outstanding: outstanding, roundTrip: 40_000) }
        #expect(judge(silent(40), few, after: 180) == .slow)
        #expect(judge(silent(40), few, after: 181) == .dead, "a tail loss probe would have been answered")
        #expect(judge(silent(11), few, after: 200) == .slow)
        #expect(judge(silent(40), lossy, after: 299) == .slow, "a full buffer answers after the retransmission only")
        var busy = few
        busy.lastAcknowledgement = start + 150_000_000
        #expect(judge(silent(40), busy, after: 200) == .slow, "another connection was answered here")
        let queued = { queue(silent: $0, roundTrip: 120_000, deviation: 2_000, least: 40_000) }
        #expect(judge(queued(188), few, after: 188) == .slow)
        #expect(judge(queued(189), few, after: 189) == .dead)
    }

    @Test func segmentsJustSentAndThoseThatCameAreNoWitnesses() {
        var progress = StallRule.Progress(id: 1, since: start, unanswered: 1, marked: start)
        var info = linux_tcp_info()
        info.rtt = 8_000
        info.unacked = 17
        info.last_ack_recv = 220
        #expect(
            StallRule().judge(TCPStatistics(info), &progress, lossy, now: start + 220_000_000) == .slow,
            "16 of them were sent this moment")
        info.last_data_sent = 150
        info.sacked = 16
        #expect(
            StallRule().judge(TCPStatistics(info), &progress, lossy, now: start + 400_000_000) == .slow,
            "16 of them have come")
        info.sacked = 0
        info.last_ack_recv = 400
        info.last_data_sent = 300
        #expect(StallRule().judge(TCPStatistics(info), &progress, lossy, now: start + 400_000_000) == .dead)
    }

    @Test func oneSegmentIsNotEnoughWhereNothingIsKnown() {
        #expect(judge(tcp(silent: 150), unknown, after: 150) == .slow)
        #expect(judge(tcp(silent: 310, outstanding: 4), unknown, after: 310) == .dead)
    }

    @Test func patienceFollowsTheRoundTrip() {
        #expect(judge(tcp(silent: 600, outstanding: 10, roundTrip: 200_000), clean, after: 600) == .slow)
        #expect(judge(tcp(silent: 701, outstanding: 10, roundTrip: 200_000), clean, after: 701) == .dead)
    }

    @Test func aQueueOfItsOwnIsNoLongPath() {
        let queued = { queue(silent: $0, roundTrip: 200_000, deviation: 10_000, least: 20_000) }
        #expect(judge(queued(330), clean, after: 330) == .slow)
        #expect(judge(queued(341), clean, after: 341) == .dead)
    }

    @Test func acknowledgementsOfOthersAndFromThePeerCount() {
        var busy = clean
        busy.lastAcknowledgement = start + 100_000_000
        #expect(judge(tcp(silent: 150), busy, after: 150) == .slow, "another connection was answered here")
        #expect(judge(tcp(silent: 10, outstanding: 10), clean, after: 500) == .moves, "its own peer is heard")
        #expect(judge(tcp(silent: 10, outstanding: 10, inRow: 3), clean, after: 2_000) == .dead, "and does not hear")
    }

    @Test func aFixedTimeoutIsWhatItSays() {
        let rule = StallRule(timeout: 50_000_000)
        #expect(judge(tcp(silent: 49), lossy, after: 49, rule: rule) == .slow)
        #expect(judge(tcp(silent: 51), lossy, after: 51, rule: rule) == .dead)
    }
}
