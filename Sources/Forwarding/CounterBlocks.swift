internal import CLinux
internal import Synchronization

/// A relay's counters in one loop.
public struct RelayCounters: Sendable {
    /// Connections open now.
    public var open: UInt64 = 0
    /// Connections accepted.
    public var accepted: UInt64 = 0
    /// Connections refused by rule.
    public var refused: UInt64 = 0
    /// Connections whose upstream could not be reached.
    public var failed: UInt64 = 0
    /// Bytes from clients to upstreams, of connections open and ended.
    public var bytesUp: UInt64 = 0
    /// Bytes from upstreams to clients.
    public var bytesDown: UInt64 = 0
    /// Ended or sampled connections that were multipath.
    public var multipath: UInt64 = 0
    /// Those that fell back.
    public var fallback: UInt64 = 0

    /// All zero.
    public init() {}

    /// Adds what another relay has counted; what it opened may be ended here, so all of it wraps around.
    mutating func add(_ other: RelayCounters) {
        open &+= other.open
        accepted &+= other.accepted
        refused &+= other.refused
        failed &+= other.failed
        bytesUp &+= other.bytesUp
        bytesDown &+= other.bytesDown
        multipath &+= other.multipath
        fallback &+= other.fallback
    }
}

/// Memory for the counters of one loop: written by the loop, read by anyone, without a lock.
///
/// Safety (`@unchecked Sendable`): each block is allocated once, before the loop hears of its relay or link, and lives as long as
/// this object; words are written by one thread and read by others with relaxed atomics only. The table of blocks is
/// reached under its lock; the loop keeps the pointer, and with it this object.
@safe
public final class CounterBlocks: @unchecked Sendable {
    /// What is counted.
    enum Subject: Hashable {
        case relay(Int)
        case link(Int)
        /// The loop's own turns.
        case turns
    }

    /// The words of a block: as many as the larger kind needs.
    fileprivate static let words = 8

    private let blocks = Mutex<[Subject: Block]>([:])

    @safe
    struct Block: @unchecked Sendable {
        let words: UnsafeMutablePointer<UInt64>
        let upstreams: Int
    }

    init() {}

    deinit {
        blocks.withLock { table in
            for block in table.values { unsafe block.words.deallocate() }
        }
    }

    /// The counters of a relay, all zero when the loop does not know it.
    public func read(relay: Int) -> RelayCounters {
        var counters = RelayCounters()
        guard let block = existingBlock(.relay(relay)) else { return counters }
        unsafe counters.open = linux_counter_load(block.words)
        unsafe counters.accepted = linux_counter_load(block.words + 1)
        unsafe counters.refused = linux_counter_load(block.words + 2)
        unsafe counters.failed = linux_counter_load(block.words + 3)
        unsafe counters.bytesUp = linux_counter_load(block.words + 4)
        unsafe counters.bytesDown = linux_counter_load(block.words + 5)
        unsafe counters.multipath = linux_counter_load(block.words + 6)
        unsafe counters.fallback = linux_counter_load(block.words + 7)
        return counters
    }

    /// What is counted once a connection, not once an event; all zero when the loop does not know the relay.
    public func tally(relay: Int) -> RelayTally {
        guard let block = existingBlock(.relay(relay)) else { return RelayTally() }
        return RelayTally {
            unsafe linux_counter_load(block.words + CounterBlocks.words + $0)
        } upstreams: {
            block.upstreams
        }
    }

    /// How long the loop's turns took; all zero before its first.
    public var turns: TurnTimes {
        guard let block = existingBlock(.turns) else { return TurnTimes { _ in 0 } }
        return TurnTimes { unsafe linux_counter_load(block.words + CounterBlocks.words + $0) }
    }

    func block(relay: Int, upstreams: Int) -> Block { block(.relay(relay), upstreams: upstreams) }

    func block(link: Int) -> Block { block(.link(link), upstreams: 0) }

    /// What the loop's turns are counted in.
    func blockOfTurns() -> Block { block(.turns, upstreams: 0) }

    func existingBlock(_ subject: Subject) -> Block? {
        blocks.withLock { $0[subject] }
    }

    private func block(_ subject: Subject, upstreams: Int) -> Block {
        blocks.withLock { table in
            if let block = table[subject] { return block }
            var count = Self.words
            switch subject {
            case .relay: count += RelayTally.count(upstreams: upstreams)
            case .turns: count += TurnTimes.words
            case .link: break
            }
            let words = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
            unsafe words.initialize(repeating: 0, count: count)
            let block = unsafe Block(words: words, upstreams: upstreams)
            table[subject] = block
            return block
        }
    }
}

extension CounterBlocks.Block {
    /// Adds to a word of the tally; the loop is the only writer.
    func add(_ index: Int, _ amount: UInt64) {
        let word = unsafe words + CounterBlocks.words + index
        unsafe linux_counter_store(word, linux_counter_load(word) &+ amount)
    }

    func publish(_ counters: RelayCounters) {
        unsafe linux_counter_store(words, counters.open)
        unsafe linux_counter_store(words + 1, counters.accepted)
        unsafe linux_counter_store(words + 2, counters.refused)
        unsafe linux_counter_store(words + 3, counters.failed)
        unsafe linux_counter_store(words + 4, counters.bytesUp)
        unsafe linux_counter_store(words + 5, counters.bytesDown)
        unsafe linux_counter_store(words + 6, counters.multipath)
        unsafe linux_counter_store(words + 7, counters.fallback)
    }
}
