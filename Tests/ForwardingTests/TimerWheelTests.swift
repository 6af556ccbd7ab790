import LinuxSystem
import Testing

@testable import Forwarding

@Suite struct TimerWheelTests {
    private static let tick: UInt64 = 1 << 22

    /// Takes everything out that is due at `time`.
    private func expired(_ wheel: inout TimerWheel, _ time: MonotonicTime) -> [Int] {
        var slots: [Int] = []
        while let slot = wheel.popExpired(now: time) { slots.append(slot) }
        return slots.sorted()
    }

    @Test func aDeadlineIsMetWithinATickAndNeverEarly() {
        let start = MonotonicTime(nanoseconds: 123_456_789_123)
        for delay: UInt64 in [
            0, 1, Self.tick, 250_000_000, 5_000_000_000, 60_000_000_000, 3_600_000_000_000, 200_000_000_000_000,
        ] {
            var wheel = TimerWheel(now: start)
            wheel.reserve(7)
            wheel.schedule(7, at: start + delay)
            if delay > 0 { #expect(expired(&wheel, start + (delay - 1)).isEmpty, "early by a nanosecond of \(delay)") }
            // The wheel says when to come back; whoever follows it meets the deadline.
            var now = start
            var rounds = 0
            var met = false
            while !met, rounds < 100 {
                let next = wheel.nextDeadline()
                #expect(next != .never)
                now = max(now, next)
                met = expired(&wheel, now) == [7]
                rounds += 1
            }
            #expect(met)
            #expect(now >= start + delay)
            #expect(now <= start + (delay + 2 * Self.tick), "late for \(delay)")
            #expect(wheel.nextDeadline() == .never)
        }
    }

    @Test func schedulingAgainReplacesAndCancellingForgets() {
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        var wheel = TimerWheel(now: start)
        wheel.reserve(3)
        wheel.schedule(1, at: start + 1_000_000_000)
        wheel.schedule(1, at: start + 5_000_000_000)
        wheel.schedule(2, at: start + 1_000_000_000)
        wheel.schedule(3, at: start + 1_000_000_000)
        wheel.cancel(3)
        wheel.cancel(3)
        #expect(expired(&wheel, start + 2_000_000_000) == [2])
        #expect(expired(&wheel, start + 6_000_000_000) == [1])
        #expect(wheel.nextDeadline() == .never)
    }

    @Test func schedulingForNeverIsCancelling() {
        let start = MonotonicTime(nanoseconds: 5)
        var wheel = TimerWheel(now: start)
        wheel.reserve(1)
        wheel.schedule(1, at: start + 10)
        wheel.schedule(1, at: .never)
        #expect(wheel.nextDeadline() == .never)
        #expect(expired(&wheel, start + 1_000_000_000_000).isEmpty)
    }

    /// Against a plain list of deadlines, with times that jump.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func itAgreesWithAList(seed: UInt64) {
        var random = SplitMix(seed)
        var now = MonotonicTime(nanoseconds: random.next() >> 20)
        var wheel = TimerWheel(now: now)
        let count = 200
        wheel.reserve(count)
        var model: [Int: UInt64] = [:]
        for _ in 0..<5_000 {
            let slot = Int(random.next() % UInt64(count))
            switch random.next() % 4 {
            case 0, 1:
                let delay = random.next() >> (random.next() % 40 + 20)
                wheel.schedule(slot, at: now + delay)
                model[slot] = (now + delay).nanoseconds
            case 2:
                wheel.cancel(slot)
                model[slot] = nil
            default:
                now = now + (random.next() >> (random.next() % 30 + 30))
                for slot in expired(&wheel, now) {
                    let due = model.removeValue(forKey: slot)
                    #expect(due != nil, "slot \(slot) fired without a deadline")
                    if let due { #expect(due <= now.nanoseconds, "slot \(slot) fired early") }
                }
                for (slot, due) in model {
                    #expect(due + 2 * Self.tick > now.nanoseconds, "slot \(slot) was forgotten")
                }
            }
        }
    }
}

/// A small generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
