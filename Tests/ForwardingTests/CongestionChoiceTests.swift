import LinuxSystem
import Testing

@testable import Forwarding

@Suite struct CongestionChoiceTests {
    private func answers(
        _ count: Int, segments: UInt32 = 400, lost: UInt32, roundTrip: UInt32 = 21_000, choice: inout CongestionChoice
    ) -> [String] {
        (0..<count).map { _ in
            let answer = choice.take(
                CongestionChoice.Sample(
                    segments: segments, retransmits: lost, roundTrip: roundTrip, leastRoundTrip: 20_000))
            return "\(answer)"
        }
    }

    @Test func lossWithoutAQueueIsNoCongestion() {
        var choice = CongestionChoice()
        let answers = answers(4, lost: 40, choice: &choice)
        #expect(answers == ["keep", "rateBased", "keep", "keep"])
    }

    @Test func lossWithAQueueIs() {
        var choice = CongestionChoice()
        let answers = Set(answers(50, lost: 40, roundTrip: 90_000, choice: &choice))
        #expect(answers == ["keep"])
    }

    @Test func aLossNowAndThenIsNothing() {
        var choice = CongestionChoice()
        var seen = Set(answers(50, lost: 3, choice: &choice))
        for _ in 0..<20 {
            seen.formUnion(answers(1, lost: 40, choice: &choice))
            seen.formUnion(answers(1, lost: 0, choice: &choice))
        }
        #expect(seen == ["keep"])
    }

    @Test func fewSegmentsTellNothing() {
        var choice = CongestionChoice()
        let answers = answers(3, segments: 90, lost: 45, choice: &choice)
        #expect(answers == ["keep", "keep", "keep"])
    }

    @Test func whatItCausesItselfEndsIt() {
        var choice = CongestionChoice()
        _ = answers(2, lost: 40, choice: &choice)
        let answers = answers(5, lost: 160, choice: &choice)
        #expect(answers == ["keep", "keep", "systemDefault", "keep", "keep"])
    }

    @Test func aRefusalIsTakenOnce() {
        var choice = CongestionChoice()
        choice.giveUp()
        let answers = Set(answers(9, lost: 40, choice: &choice))
        #expect(answers == ["keep"])
    }

    // MARK: Who is measured

    @Test func onlyWhatMovesALotIsFound() {
        var finder = BulkFinder()
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        var found = 0
        for _ in 0..<1000 {
            now = now + 200_000_000
            if finder.note(7, 10_000, now: now) { found += 1 }
        }
        #expect(found == 0)
        for _ in 0..<10 {
            now = now + 10_000_000
            if finder.note(7, 20_000, now: now) { found += 1 }
        }
        #expect(found == 1)
    }

    @Test func slotsThatCollideDoNotAddUp() {
        var finder = BulkFinder()
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        let found = [UInt32(1), 65, 1].map { finder.note($0, 150_000, now: now) }
        #expect(found == [false, false, true])
    }
}
