import CLab
import Testing

@testable import Lab

extension LabSuite {
    /// The arithmetic of one direction, without sockets and clocks.
    @Suite struct LaneTests {
        static let millisecond: Int64 = 1_000_000

        /// Takes everything due by a time out of a lane: the first byte of each packet.
        private func take(_ lane: inout Lane, until time: Int64, sent: Int? = nil) -> [UInt8] {
            var batch = PacketBatch()
            var taken: [UInt8] = []
            lane.deliver(until: time, into: &batch) { packets in
                for index in 0..<packets.count { taken.append(packets.firstByte(of: index)) }
                return sent ?? packets.count
            }
            return taken
        }

        private func put(_ lane: inout Lane, _ byte: UInt8, length: Int, at time: Int64) {
            [UInt8](repeating: byte, count: length).withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                lane.arrive(base, length: length, at: time)
            }
        }

        @Test func aPacketTakesItsSendingTimeAndTheDelay() {
            // 1000 bytes at 8 Mbit/s: 1 ms each.
            var lane = Lane(profile: LinkProfile(rate: .mbit(8), delay: .milliseconds(5)), seed: 1)
            put(&lane, 1, length: 1000, at: 0)
            put(&lane, 2, length: 1000, at: 0)
            #expect(lane.nextDue == 6 * Self.millisecond)
            #expect(take(&lane, until: 6 * Self.millisecond - 1) == [])
            #expect(take(&lane, until: 6 * Self.millisecond) == [1])
            #expect(lane.nextDue == 7 * Self.millisecond)
            #expect(take(&lane, until: 7 * Self.millisecond) == [2])
            #expect(lane.nextDue == nil)
            // The sender has been idle since 2 ms: nothing is owed to the next packet.
            put(&lane, 3, length: 1000, at: 10 * Self.millisecond)
            #expect(lane.nextDue == 16 * Self.millisecond)
        }

        @Test func anUnlimitedLinkWithoutDelayDeliversAtOnce() {
            var lane = Lane(profile: LinkProfile(), seed: 1)
            put(&lane, 1, length: 1500, at: 7)
            #expect(take(&lane, until: 7) == [1])
        }

        @Test func aFullQueueDropsTheNewest() {
            var lane = Lane(profile: LinkProfile(rate: .mbit(8), queue: 3000), seed: 1)
            for byte in 1...5 { put(&lane, UInt8(byte), length: 1000, at: 0) }
            #expect(lane.counters.overflowed == 2)
            // One has been sent by then: there is room for one.
            put(&lane, 6, length: 1000, at: Self.millisecond)
            put(&lane, 7, length: 1000, at: Self.millisecond)
            #expect(take(&lane, until: 100 * Self.millisecond) == [1, 2, 3, 6])
            #expect(lane.snapshot(at: 100 * Self.millisecond).queuedBytes == 0)
        }

        @Test func whatTravelsDoesNotFillTheQueue() {
            var lane = Lane(profile: LinkProfile(rate: .mbit(8), delay: .seconds(1), queue: 1000), seed: 1)
            for number in 0..<100 { put(&lane, 1, length: 1000, at: Int64(number) * Self.millisecond) }
            let counters = lane.snapshot(at: 100 * Self.millisecond)
            #expect(counters.overflowed == 0)
            #expect(counters.inFlight == 100)
        }

        @Test func nothingOvertakesWhenTheDelayShrinks() {
            var lane = Lane(profile: LinkProfile(delay: .milliseconds(100)), seed: 1)
            put(&lane, 1, length: 100, at: 0)
            lane.set(LinkProfile(delay: .milliseconds(1)), at: 10 * Self.millisecond)
            put(&lane, 2, length: 100, at: 10 * Self.millisecond)
            #expect(take(&lane, until: 99 * Self.millisecond) == [])
            #expect(take(&lane, until: 100 * Self.millisecond) == [1, 2])
        }

        @Test func whatWaitsIsSentAtTheNewRate() {
            var lane = Lane(profile: LinkProfile(rate: .kbit(8)), seed: 1)
            put(&lane, 1, length: 1000, at: 0)
            put(&lane, 2, length: 1000, at: 0)
            lane.set(LinkProfile(rate: .mbit(8)), at: 500 * Self.millisecond)
            // The first is being sent already, and goes on at the old rate.
            #expect(take(&lane, until: 1000 * Self.millisecond) == [1])
            #expect(take(&lane, until: 1001 * Self.millisecond) == [2])
        }

        @Test func lossIsTheShareAskedForAndTheSameForTheSameSeed() {
            func survivors(seed: UInt64) -> [UInt8] {
                var lane = Lane(profile: LinkProfile(loss: 0.1), seed: seed)
                var all: [UInt8] = []
                for number in 0..<20_000 {
                    put(&lane, UInt8(truncatingIfNeeded: number), length: 60, at: Int64(number))
                    all += take(&lane, until: Int64(number))
                }
                #expect(lane.counters.lost == 20_000 - all.count)
                return all
            }
            let first = survivors(seed: 7)
            // 18,000 expected, standard deviation 42.
            #expect((17_800...18_200).contains(first.count))
            #expect(first == survivors(seed: 7))
            #expect(first != survivors(seed: 8))
        }

        @Test(arguments: [0.0, 1.0]) func noLossAndAllLoss(loss: Double) {
            var lane = Lane(profile: LinkProfile(loss: loss), seed: 1)
            for number in 0..<1000 { put(&lane, 1, length: 60, at: Int64(number)) }
            #expect(take(&lane, until: 1000).count == (loss == 0 ? 1000 : 0))
        }

        @Test func aBlackholeAlsoTakesWhatIsUnderWay() {
            var lane = Lane(profile: LinkProfile(delay: .milliseconds(1)), seed: 1)
            put(&lane, 1, length: 60, at: 0)
            lane.setBlackhole(true)
            put(&lane, 2, length: 60, at: 0)
            #expect(take(&lane, until: Self.millisecond) == [])
            lane.setBlackhole(false)
            put(&lane, 3, length: 60, at: 2 * Self.millisecond)
            #expect(take(&lane, until: 3 * Self.millisecond) == [3])
            #expect(lane.counters.blackholed == 2)
        }

        @Test func aCutLinkIsEmptyAfterwards() {
            var lane = Lane(profile: LinkProfile(rate: .mbit(8), delay: .milliseconds(5)), seed: 1)
            for byte in 1...4 { put(&lane, UInt8(byte), length: 1000, at: 0) }
            _ = lane.snapshot(at: 2 * Self.millisecond)
            lane.setCut(true)
            lane.setCut(false)
            #expect(lane.nextDue == nil)
            put(&lane, 9, length: 1000, at: 10 * Self.millisecond)
            #expect(take(&lane, until: 20 * Self.millisecond) == [9])
        }

        @Test func aPacketThatCannotBeHandedOnIsCounted() {
            var lane = Lane(profile: LinkProfile(), seed: 1)
            put(&lane, 1, length: 100, at: 0)
            put(&lane, 2, length: 100, at: 0)
            _ = take(&lane, until: 0, sent: 1)
            #expect(lane.counters.deliveredPackets == 1)
            #expect(lane.counters.failed == 1)
        }

        @Test func seededContentsSurviveGrowthAndWrapping() {
            var queue = PacketQueue()
            var random = SeededRandom(seed: 3)
            var expected: [(byte: UInt8, length: Int)] = []
            for step in 0..<30_000 {
                // Grows for the first third, then stays about the same, then shrinks.
                let add = step < 10_000 || (step < 20_000 && random.next() % 2 == 0)
                if add || expected.isEmpty {
                    let length = 1 + Int(random.next() % 1514)
                    let byte = UInt8(truncatingIfNeeded: random.next())
                    let stored = [UInt8](repeating: byte, count: length).withUnsafeBytes { bytes in
                        bytes.baseAddress.map { queue.append($0, length: length) } ?? false
                    }
                    #expect(stored)
                    expected.append((byte, length))
                } else {
                    let entry = queue[0]
                    let bytes = UnsafeRawBufferPointer(start: queue.location(of: entry), count: entry.length)
                    let wanted = expected.removeFirst()
                    if entry.length != wanted.length || !bytes.allSatisfy({ $0 == wanted.byte }) {
                        Issue.record("step \(step): packet changed in the queue")
                        return
                    }
                    queue.removeFirst()
                }
                if queue.count != expected.count {
                    Issue.record("step \(step): \(queue.count) packets instead of \(expected.count)")
                    return
                }
            }
        }
    }
}

extension PacketBatch {
    func firstByte(of index: Int) -> UInt8 {
        self[index].bytes.load(as: UInt8.self)
    }
}
