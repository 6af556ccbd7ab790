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

    @Test func whereMultipathIsRequiredALinkThatStripsItComesLastForLongerEachTime() {
        var ranking = LinkRanking()
        ranking.set([link(1), link(2, backup: true)])
        let minute: UInt64 = 60_000_000_000
        ranking.stripped(0, now: start)
        #expect(ranking.order(now: start, requiresMultipath: true) == [1, 0], "before even a backup link")
        #expect(ranking.order(now: start) == [0, 1], "others may use it")
        #expect(ranking.order(now: start + 11 * minute, requiresMultipath: true) == [0, 1])
        ranking.stripped(0, now: start)
        #expect(ranking.order(now: start + 19 * minute, requiresMultipath: true) == [1, 0])
        for _ in 0..<20 { ranking.stripped(0, now: start) }
        #expect(ranking.order(now: start + 81 * minute, requiresMultipath: true) == [0, 1])
        ranking.carriedMultipath(0)
        #expect(ranking.order(now: start, requiresMultipath: true) == [0, 1])
    }

    @Test func handoverKeepsToTheOrderAndInteractiveToTheLatency() {
        var ranking = LinkRanking()
        ranking.set([link(1, priority: -1), link(2), link(3), link(4, priority: -9, up: false)])
        for (position, time) in [(Int8(0), UInt64(50)), (1, 30), (2, 20)] {
            ranking.connected(position, after: time * 1_000_000)
        }
        #expect(ranking.order(now: start, mode: .handover) == [0, 1, 2, 3])
        #expect(ranking.order(now: start, mode: .aggregate) == [0, 2, 1, 3])
        #expect(ranking.order(now: start, mode: .interactive).first == 2)
        ranking.measured(1, roundTrip: 10_000_000)
        #expect(ranking.order(now: start, mode: .interactive) == [1, 2, 0, 3])
        ranking.failed(0, now: start)
        #expect(ranking.order(now: start, mode: .handover) == [1, 2, 0, 3])
    }
}
