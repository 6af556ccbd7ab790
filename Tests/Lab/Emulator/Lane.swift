/// A small generator of random numbers that gives the same sequence for the same seed (xorshift64*).
struct SeededRandom {
    private var state: UInt64

    init(seed: UInt64) {
        // One step of splitmix64, so that neighbouring seeds give unlike sequences; the state must not be 0.
        var mixed = seed &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        state = (mixed ^ (mixed >> 31)) | 1
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

/// One direction of an emulated link: a queue, a clock that says when the sender is done with each packet, and the
/// packets under way. It computes; it knows no sockets and asks no clock. All times are monotonic nanoseconds.
///
/// The sending clock is advanced lazily, up to the moment of each event, which is exact: what changes it (an
/// arriving packet, a new profile) advances it first.
struct Lane: ~Copyable {
    private var packets = PacketQueue()
    /// How many entries at the front of `packets` have been sent and are under way.
    private var sent = 0
    private var queuedBytes = 0
    /// When the sender is done with the first packet that waits.
    private var headFinish: Int64 = 0
    private var lastFinish: Int64 = 0
    private var lastDue: Int64 = 0

    private var bitsPerSecond = 0
    private(set) var delay: Int64 = 0
    private var lossThreshold: UInt64 = 0
    private var queueLimit = 0
    private var random: SeededRandom

    private var blackhole = false
    private var cut = false
    private(set) var counters = LinkCounters()

    init(profile: LinkProfile, seed: UInt64) {
        random = SeededRandom(seed: seed)
        apply(profile)
    }

    private mutating func apply(_ profile: LinkProfile) {
        bitsPerSecond = profile.rate.bitsPerSecond
        delay = profile.delay.wholeNanoseconds
        lossThreshold = profile.loss >= 1 ? .max : UInt64(profile.loss * 0x1p64)
        queueLimit = profile.queueLimit
    }

    // MARK: Changes from outside

    mutating func set(_ profile: LinkProfile, at now: Int64) {
        advance(to: now)
        apply(profile)
    }

    mutating func setBlackhole(_ on: Bool) {
        blackhole = on
    }

    /// A cut link also loses what was on it.
    mutating func setCut(_ on: Bool) {
        cut = on
        if on {
            counters.blackholed += packets.count
            packets.removeAll()
            sent = 0
            queuedBytes = 0
        }
    }

    mutating func countFailures(_ number: Int) {
        counters.failed += number
    }

    /// The counters, with what is in the lane at this time.
    mutating func snapshot(at now: Int64) -> LinkCounters {
        advance(to: now)
        counters.queuedBytes = queuedBytes
        counters.inFlight = sent
        return counters
    }

    // MARK: Packets

    mutating func arrive(_ bytes: UnsafeRawPointer, length: Int, at time: Int64) {
        counters.packets += 1
        counters.bytes += length
        if blackhole || cut {
            counters.blackholed += 1
            return
        }
        advance(to: time)
        if queuedBytes + length > queueLimit {
            counters.overflowed += 1
            return
        }
        guard packets.append(bytes, length: length) else {
            counters.failed += 1
            return
        }
        queuedBytes += length
        if packets.count - sent == 1 {
            headFinish = max(time, lastFinish) + sendingTime(length)
        }
        advance(to: time)
    }

    /// When the next packet is to be delivered, or `nil` when there is none.
    var nextDue: Int64? {
        if sent > 0 {
            return packets[0].due
        }
        return packets.count > 0 ? max(headFinish + delay, lastDue) : nil
    }

    /// Hands packets that are due to `deliver`, in batches: it gets them as they lie in memory and answers how many
    /// of them it could pass on.
    mutating func deliver(until now: Int64, into batch: inout PacketBatch, _ deliver: (inout PacketBatch) -> Int) {
        advance(to: now)
        while sent > 0, packets[0].due <= now {
            var taken = 0
            batch.removeAll()
            while taken < sent, batch.hasRoom {
                let entry = packets[taken]
                guard entry.due <= now else { break }
                if blackhole || cut {
                    counters.blackholed += 1
                } else if !entry.lost {
                    batch.append(packets.location(of: entry), length: entry.length)
                }
                taken += 1
            }
            if batch.count > 0 {
                let count = batch.count
                let bytes = batch.bytes
                let failed = count - deliver(&batch)
                counters.deliveredPackets += count - failed
                counters.deliveredBytes += bytes - batch.failedBytes
                counters.failed += failed
            }
            for _ in 0..<taken {
                packets.removeFirst()
            }
            sent -= taken
        }
    }

    private mutating func advance(to time: Int64) {
        while packets.count > sent, headFinish <= time {
            var entry = packets[sent]
            // Delays may shrink while packets are under way: nothing overtakes on a link.
            lastDue = max(headFinish + delay, lastDue)
            entry.due = lastDue
            if lossThreshold > 0, random.next() < lossThreshold {
                entry.lost = true
                counters.lost += 1
            }
            packets[sent] = entry
            queuedBytes -= entry.length
            sent += 1
            lastFinish = headFinish
            if packets.count > sent {
                headFinish += sendingTime(packets[sent].length)
            }
        }
    }

    private func sendingTime(_ length: Int) -> Int64 {
        bitsPerSecond == 0 ? 0 : Int64(length) * 8_000_000_000 / Int64(bitsPerSecond)
    }
}

extension Duration {
    /// In whole nanoseconds; lab durations are far from where this would overflow.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
