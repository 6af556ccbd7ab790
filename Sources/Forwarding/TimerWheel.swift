internal import LinuxSystem

/// Deadlines of slots: at most one a slot, set and cancelled in constant time, without allocation in steady state.
///
/// A hierarchical timing wheel of six levels of 64 buckets; a bucket is a doubly linked list through arrays that are
/// indexed by slot. A tick is 2^22 ns (4.2 ms); a deadline is met at most one tick late, never early.
struct TimerWheel: ~Copyable {
    private static let tickShift: UInt64 = 22
    private static let levels = 6
    private static let expiredBucket: Int32 = 384
    private static let none: Int32 = -1

    private var heads: [Int32] = Array(repeating: TimerWheel.none, count: 385)
    private var occupied: [UInt64] = Array(repeating: 0, count: TimerWheel.levels)
    private var next: [Int32] = []
    private var previous: [Int32] = []
    private var bucket: [Int32] = []
    private var due: [UInt64] = []
    private var elapsed: UInt64

    init(now: MonotonicTime) {
        elapsed = now.nanoseconds >> Self.tickShift
    }

    /// Makes room for slots up to and including `slot`.
    mutating func reserve(_ slot: Int) {
        while bucket.count <= slot {
            next.append(Self.none)
            previous.append(Self.none)
            bucket.append(Self.none)
            due.append(0)
        }
    }

    /// Sets the slot's deadline in place of the one it has.
    mutating func schedule(_ slot: Int, at time: MonotonicTime) {
        if bucket[slot] != Self.none { unlink(slot) }
        if time == .never { return }
        // Rounded up, so that a deadline is never met early.
        due[slot] = (time.nanoseconds >> Self.tickShift) + 1
        insert(slot)
    }

    /// The slot has no deadline from here on.
    mutating func cancel(_ slot: Int) {
        if bucket[slot] != Self.none { unlink(slot) }
    }

    /// When to look again: no later than the earliest deadline.
    func nextDeadline() -> MonotonicTime {
        if heads[Int(Self.expiredBucket)] != Self.none { return MonotonicTime(nanoseconds: 0) }
        guard let expiration = nextExpiration() else { return .never }
        return MonotonicTime(nanoseconds: expiration.tick << Self.tickShift)
    }

    /// Takes out one slot whose deadline has come; `nil` when there is none (left).
    mutating func popExpired(now: MonotonicTime) -> Int? {
        let tick = now.nanoseconds >> Self.tickShift
        while true {
            let first = heads[Int(Self.expiredBucket)]
            if first != Self.none {
                unlink(Int(first))
                return Int(first)
            }
            guard let expiration = nextExpiration(), expiration.tick <= tick else {
                if tick > elapsed { elapsed = tick }
                return nil
            }
            elapsed = max(elapsed, expiration.tick)
            redistribute(expiration.bucket)
        }
    }

    /// Moves a bucket whose time has come to the lower levels, or to the expired.
    private mutating func redistribute(_ index: Int) {
        var slot = heads[index]
        heads[index] = Self.none
        occupied[index / 64] &= ~(1 << UInt64(index % 64))
        while slot != Self.none {
            let following = next[Int(slot)]
            bucket[Int(slot)] = Self.none
            insert(Int(slot))
            slot = following
        }
    }

    private mutating func insert(_ slot: Int) {
        let when = due[slot]
        guard when > elapsed else {
            link(slot, Self.expiredBucket)
            return
        }
        let level = min(Self.levels - 1, (63 - ((elapsed ^ when) | 63).leadingZeroBitCount) / 6)
        let index = Int((when >> UInt64(level * 6)) & 63)
        occupied[level] |= 1 << UInt64(index)
        link(slot, Int32(level * 64 + index))
    }

    private mutating func link(_ slot: Int, _ index: Int32) {
        let head = heads[Int(index)]
        next[slot] = head
        previous[slot] = Self.none
        if head != Self.none { previous[Int(head)] = Int32(slot) }
        heads[Int(index)] = Int32(slot)
        bucket[slot] = index
    }

    private mutating func unlink(_ slot: Int) {
        let index = bucket[slot]
        let before = previous[slot]
        let after = next[slot]
        if after != Self.none { previous[Int(after)] = before }
        if before != Self.none {
            next[Int(before)] = after
        } else {
            heads[Int(index)] = after
            if after == Self.none, index != Self.expiredBucket {
                occupied[Int(index) / 64] &= ~(1 << UInt64(index % 64))
            }
        }
        bucket[slot] = Self.none
    }

    /// The earliest bucket that holds anything, and when it is to be looked at. Lower levels come before higher ones.
    private func nextExpiration() -> (bucket: Int, tick: UInt64)? {
        for level in 0..<Self.levels where occupied[level] != 0 {
            let shift = UInt64(level * 6)
            let position = (elapsed >> shift) & 63
            let rotated = occupied[level] >> position | (position == 0 ? 0 : occupied[level] << (64 - position))
            let index = (UInt64(rotated.trailingZeroBitCount) + position) & 63
            let range: UInt64 = 64 << shift
            var tick = (elapsed & ~(range - 1)) + index << shift
            if tick <= elapsed { tick += range }
            return (level * 64 + Int(index), tick)
        }
        return nil
    }
}
