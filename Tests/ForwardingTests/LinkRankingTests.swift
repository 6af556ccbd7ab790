import LinuxSystem
import Testing

@testable import Forwarding

@Suite struct LinkRankingTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func link(_ id: Int, priority: Int = 0, backup: Bool = false, up: Bool = true) -> LinkCandidate {
        LinkCandidate(id: id, ipv4: nil, ipv6: nil, priority: priority, isBackup: backup, isUp: up)
    }

    @Test func withoutAnythingLearntItIsPriorityThenOrder() {
        var ranking = LinkRanking()
        ranking.set([link(1, priority: 5), link(2), link(3), link(4, backup: true), link(5, priority: -1, up: false)])
        #expect(ranking.order(now: start) == [1, 2, 0, 3, 4])
    }

    @Test func amongEqualsTheQuickerComesFirst() {
        var ranking = LinkRanking()
        ranking.set([link(1), link(2)])
        ranking.connected(0, after: 50_000_000)
        ranking.connected(1, after: 10_000_000)
        #expect(ranking.order(now: start) == [1, 0])
    }

    @Test func aLinkThatFailedComesLastForAWhile() {
        var ranking = LinkRanking()
        ranking.set([link(1), link(2), link(3, backup: true)])
        ranking.failed(0, now: start)
        #expect(ranking.order(now: start) == [1, 2, 0])
        #expect(ranking.order(now: start + 11_000_000_000) == [0, 1, 2])
        ranking.failed(0, now: start)
        ranking.connected(0, after: 1)
        #expect(ranking.order(now: start) == [1, 0, 2], "forgiven, but now known to take longer than nothing")
    }

    @Test func aLinkThatCameBackIsForgivenAndWhatIsKnownOfOthersStays() {
        var ranking = LinkRanking()
        ranking.set([link(1), link(2)])
        ranking.failed(0, now: start)
        ranking.connected(1, after: 7)
        ranking.set([link(1, up: false), link(2)])
        ranking.set([link(1), link(2)])
        #expect(ranking.order(now: start) == [0, 1])
    }
}
