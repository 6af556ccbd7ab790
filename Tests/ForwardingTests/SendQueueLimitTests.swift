import Testing

@testable import Forwarding

@Suite struct SendQueueLimitTests {
    private typealias Sight = SendQueueLimit.Sight

    /// Two links of 10 Mbit/s with a queue of 100 ms before each: what cubic makes of them.
    private static let two: SendQueueLimit.Sight = {
        var sight = Sight()
        sight.add(unacknowledged: 100, window: 104, threshold: 73, segment: 1424, roundTrip: 118_000)
        sight.add(unacknowledged: 116, window: 121, threshold: 82, segment: 1424, roundTrip: 137_000)
        return sight
    }()

    private func one(_ window: UInt32, roundTrip: UInt32, threshold: UInt32? = 10) -> Sight {
        var sight = Sight()
        sight.add(unacknowledged: 1, window: window, threshold: threshold, segment: 1424, roundTrip: roundTrip)
        return sight
    }

    @Test func aQueueOfTwoWindowsIsCutToWhatTheLinksNeed() throws {
        var limit = SendQueueLimit()
        let set = try #require(limit.take(Self.two, most: 8 << 20) { 1_055_000 })
        // 2.5 MB a second for 137 ms are 345 KB; a writer is woken at two thirds.
        #expect((550_000...650_000).contains(set))
        #expect(set * 2 / 3 > 345_000)
        #expect(limit.bound == UInt64(set))
        // Nothing new: nothing is set again.
        #expect(limit.take(Self.two, most: 8 << 20) { 0 } == nil)
    }

    @Test func oneSubflowIsTheKernelsAffair() {
        var limit = SendQueueLimit()
        #expect(limit.take(one(104, roundTrip: 118_000), most: 8 << 20) { 10_000_000 } == nil)
        #expect(limit.take(Sight(), most: 8 << 20) { 10_000_000 } == nil)
        #expect(limit.bound == 0)
    }

    @Test func aSubflowThatHasNothingOnItsWayDoesNotCount() {
        var sight = one(104, roundTrip: 118_000)
        sight.add(unacknowledged: 0, window: 104, threshold: 70, segment: 1424, roundTrip: 118_000)
        sight.add(unacknowledged: 9, window: 104, threshold: 70, segment: 1424, roundTrip: 0)
        #expect(sight.sending == 1)
        var limit = SendQueueLimit()
        #expect(limit.take(sight, most: 8 << 20) { 10_000_000 } == nil)
    }

    @Test func slowStartIsLeftAlone() {
        var sight = one(104, roundTrip: 118_000)
        sight.add(unacknowledged: 9, window: 40, threshold: nil, segment: 1424, roundTrip: 20_000)
        var limit = SendQueueLimit()
        #expect(limit.take(sight, most: 8 << 20) { 10_000_000 } == nil)
    }

    @Test func whatTheKernelKeepsShortItselfIsLeftAlone() {
        var limit = SendQueueLimit()
        // The slower path needs nearly all of it: its answers take four times as long.
        #expect(limit.take(Self.two, most: 8 << 20) { 700_000 } == nil)
        // A gigabit a second each, a millisecond there and back: two megabytes are gone in 8 ms.
        var quick = Sight()
        for _ in 0..<2 {
            quick.add(unacknowledged: 80, window: 90, threshold: 60, segment: 1424, roundTrip: 1_000)
        }
        #expect(limit.take(quick, most: 8 << 20) { 5_000_000 } == nil)
        #expect(limit.bound == 0)
    }

    @Test func theSlowestAnswerCountsForAll() throws {
        var limit = SendQueueLimit()
        var sight = one(200, roundTrip: 20_000)
        sight.add(unacknowledged: 9, window: 100, threshold: 70, segment: 1424, roundTrip: 200_000)
        let set = try #require(limit.take(sight, most: 64 << 20) { 30_000_000 })
        // 14.2 and 0.7 MB a second for 200 ms.
        #expect(set * 2 / 3 > 2_980_000)
    }

    @Test func itGrowsWithTheLinksAtOnceAndShrinksSlowly() throws {
        var limit = SendQueueLimit()
        let first = try #require(limit.take(Self.two, most: 64 << 20) { 1_055_000 })
        var quicker = Self.two
        quicker.add(unacknowledged: 200, window: 400, threshold: 300, segment: 1424, roundTrip: 118_000)
        let second = try #require(limit.take(quicker, most: 64 << 20) { 0 })
        #expect(second > 2 * first)
        // The third has lost much: the others' need is that of before.
        #expect(limit.take(Self.two, most: 64 << 20) { 0 }.map { $0 > second / 2 } ?? true)
        var last = second
        for _ in 0..<100 { last = limit.take(Self.two, most: 64 << 20) { 0 } ?? last }
        #expect(last < first * 5 / 4)
        // One link is left of all: its own need is still followed, the other may come back.
        for _ in 0..<100 { last = limit.take(one(104, roundTrip: 118_000), most: 64 << 20) { 0 } ?? last }
        #expect((150_000..<350_000).contains(last))
        #expect(limit.take(Self.two, most: 64 << 20) { 0 } != nil)
    }

    @Test func aSubflowThatComesNewMayGrow() throws {
        var limit = SendQueueLimit()
        let first = try #require(limit.take(Self.two, most: 64 << 20) { 1_055_000 })
        var sight = Self.two
        sight.add(unacknowledged: 10, window: 100, threshold: nil, segment: 1424, roundTrip: 50_000)
        let second = try #require(limit.take(sight, most: 64 << 20) { 0 })
        #expect(second > 3 * first)
    }

    @Test func afterATimeoutTheWindowIsSoonWhereItWas() throws {
        var limit = SendQueueLimit()
        _ = try #require(limit.take(Self.two, most: 64 << 20) { 1_055_000 })
        var sight = one(1, roundTrip: 118_000, threshold: 100)
        sight.add(unacknowledged: 9, window: 2, threshold: 115, segment: 1424, roundTrip: 137_000)
        for _ in 0..<100 { #expect(limit.take(sight, most: 64 << 20) { 0 } == nil) }
    }

    @Test func theSystemsOwnBoundHolds() throws {
        var limit = SendQueueLimit()
        let set = try #require(limit.take(Self.two, most: 400_000) { 1_055_000 })
        #expect(set == 400_000)
        // Never too little to get going.
        var small = SendQueueLimit()
        var sight = one(2, roundTrip: 50_000, threshold: 2)
        sight.add(unacknowledged: 1, window: 2, threshold: 2, segment: 500, roundTrip: 50_000)
        #expect(small.take(sight, most: 8 << 20) { 300_000 } == 65_536)
    }
}
