import LinuxSystem
import Testing

@testable import Forwarding

/// Turns under a bandwidth limit, in a time that the test makes.
@Suite struct BandwidthTests {
    /// Connections that always have something to read, over some loops; each reads `most` bytes of its turn at most.
    private final class Readers {
        let rate: BandwidthRate
        let loops: [LoopShared]
        var turns: [BandwidthTurn] = []
        /// What each has read.
        var read: [Int] = []
        /// When each may read; `nil`: it waits for a promise.
        private var due: [MonotonicTime?] = []
        private var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        /// How late its timers are, at most, in nanoseconds.
        private let lateness: UInt64
        private(set) var wakeUps = 0
        var most = Int.max

        init(_ rate: BandwidthRate, lateness: UInt64 = 8_000_000) throws {
            self.rate = rate
            self.lateness = lateness
            loops = [try LoopShared(index: 0), try LoopShared(index: 1)]
        }

        func add(_ count: Int, client: UInt32, isUp: Bool = false) {
            for _ in 0..<count {
                turns.append(
                    BandwidthTurn(
                        loop: loops[turns.count % 2], request: UInt64(turns.count), client: .ipv4(client), isUp: isUp))
                read.append(0)
                due.append(nil)
                ask(turns.count - 1)
            }
        }

        func remove(_ index: Int) {
            due[index] = nil
            take(rate.leave(turns[index]))
        }

        /// Lets time pass.
        func run(milliseconds: UInt64) {
            let end = now + milliseconds * 1_000_000
            while let next = due.indices.filter({ due[$0] != nil }).min(by: { (due[$0] ?? now) < (due[$1] ?? now) }),
                let at = due[next], at < end
            {
                if at > now {
                    now = at + UInt64.random(in: 0...lateness)
                    wakeUps += 1
                }
                due[next] = nil
                guard let bytes = rate.take(turns[next], now: now) else { continue }
                use(next, bytes)
                ask(next)
            }
            now = max(now, end)
        }

        private func use(_ index: Int, _ bytes: Int) {
            let used = min(bytes, most)
            read[index] += used
            take(rate.finish(turns[index], unused: bytes - used, now: now))
        }

        private func ask(_ index: Int) {
            switch rate.ask(turns[index], now: now) {
            case .read(let bytes):
                use(index, bytes)
                ask(index)
            case .wait(let until): due[index] = until
            case .queued: break
            }
        }

        private func take(_ promise: BandwidthPromise?) {
            guard let promise else { return }
            due[Int(promise.turn.request)] = promise.at
        }
    }

    /// Sums over a few connections, in bits a second.
    private func rate(_ readers: Readers, _ indices: Range<Int>, seconds: Double) -> Double {
        Double(readers.read[indices].reduce(0, +)) * 8 / seconds
    }

    @Test(arguments: [1_000_000, 40_000_000, 1_000_000_000])
    func ten_connections_get_no_more_than_one(bits: Int) throws {
        let readers = try Readers(BandwidthRate(bitsPerSecond: bits, isPerClient: false))
        readers.add(10, client: 1)
        readers.add(1, client: 2)
        readers.run(milliseconds: 10_000)
        let ten = rate(readers, 0..<10, seconds: 10)
        let one = rate(readers, 10..<11, seconds: 10)
        #expect(abs(ten + one - Double(bits)) < 0.02 * Double(bits), "\(ten) \(one)")
        #expect(abs(one - ten) < 0.05 * Double(bits), "\(ten) \(one)")
        // And the ten share alike.
        let each = readers.read[0..<10]
        #expect((each.min() ?? 0) * 10 > (each.max() ?? 0) * 8, "\(each)")
        // At most a wake-up for each turn of ten milliseconds.
        #expect(readers.wakeUps < 1500, "\(readers.wakeUps)")
    }

    @Test func who_uses_little_leaves_it_to_the_others() throws {
        let readers = try Readers(BandwidthRate(bitsPerSecond: 8_000_000, isPerClient: false))
        readers.most = 1000
        readers.add(3, client: 1)
        readers.run(milliseconds: 10_000)
        // A thousand bytes of ten thousand in each turn: what was not used is not lost.
        #expect(abs(rate(readers, 0..<3, seconds: 10) - 8e6) < 0.02 * 8e6, "\(readers.read)")
    }

    @Test func each_client_has_its_own() throws {
        let readers = try Readers(BandwidthRate(bitsPerSecond: 8_000_000, isPerClient: true))
        readers.add(4, client: 1)
        readers.add(1, client: 2)
        readers.run(milliseconds: 10_000)
        #expect(abs(rate(readers, 0..<4, seconds: 10) - 8e6) < 0.02 * 8e6)
        #expect(abs(rate(readers, 4..<5, seconds: 10) - 8e6) < 0.02 * 8e6)
    }

    @Test func directions_have_their_own() throws {
        let readers = try Readers(BandwidthRate(bitsPerSecond: 8_000_000, isPerClient: false))
        readers.add(1, client: 1, isUp: true)
        readers.add(1, client: 1)
        readers.run(milliseconds: 10_000)
        for index in 0..<2 { #expect(abs(rate(readers, index..<(index + 1), seconds: 10) - 8e6) < 0.02 * 8e6) }
    }

    @Test func those_who_leave_hold_nobody_up() throws {
        let readers = try Readers(BandwidthRate(bitsPerSecond: 8_000_000, isPerClient: false))
        readers.add(6, client: 1)
        readers.add(2, client: 2)
        readers.run(milliseconds: 1_000)
        // Whoever was promised the next turn is among them.
        for index in [0, 1, 2, 3, 4, 6] { readers.remove(index) }
        let before = readers.read
        readers.run(milliseconds: 10_000)
        let five = Double(readers.read[5] - before[5]) * 8 / 10
        let seven = Double(readers.read[7] - before[7]) * 8 / 10
        #expect(abs(five + seven - 8e6) < 0.02 * 8e6 && abs(five - seven) < 0.05 * 8e6, "\(five) \(seven)")
        for index in [0, 1, 2, 3, 4, 6] { #expect(readers.read[index] == before[index]) }
    }

    @Test func a_changed_rate_is_everyones() throws {
        let limit = BandwidthRate(bitsPerSecond: 8_000_000, isPerClient: false)
        let readers = try Readers(limit)
        readers.add(1, client: 1)
        readers.run(milliseconds: 1_000)
        limit.setRate(bitsPerSecond: 16_000_000)
        readers.add(1, client: 2)
        let before = readers.read
        readers.run(milliseconds: 10_000)
        for index in 0..<2 {
            let own = Double(readers.read[index] - before[index]) * 8 / 10
            #expect(abs(own - 8e6) < 0.03 * 8e6, "\(own)")
        }
    }
}
