internal import LinuxSystem
internal import Synchronization

/// How much may be moved in a second, in each direction by itself. Whoever wants to read takes a piece of time when its turn
/// is there; those who have to wait stand in a queue in which clients, however many connections each has, get equal shares.
///
/// Shared by all loops of a relay, and handed on over a reload; the lock is held for one look-up.
public final class BandwidthRate: Sendable {
    /// Each client has a rate of its own, rather than all together.
    public let isPerClient: Bool
    private let up: Mutex<BandwidthQueues>
    private let down: Mutex<BandwidthQueues>

    /// - Parameters:
    ///   - bitsPerSecond: above 0.
    ///   - isPerClient: each client has a rate of its own, rather than all together.
    public init(bitsPerSecond: Int, isPerClient: Bool) {
        self.isPerClient = isPerClient
        up = Mutex(BandwidthQueues(bitsPerSecond: bitsPerSecond))
        down = Mutex(BandwidthQueues(bitsPerSecond: bitsPerSecond))
    }

    /// Changes the rate, for those who are under way as well: after a reload old and new connections share one limit.
    public func setRate(bitsPerSecond: Int) {
        up.withLock { $0.setRate(bitsPerSecond: bitsPerSecond) }
        down.withLock { $0.setRate(bitsPerSecond: bitsPerSecond) }
    }

    /// Asks to read.
    func ask(_ turn: BandwidthTurn, now: MonotonicTime) -> BandwidthAnswer {
        with(turn) { $0.ask(turn, $1, now: now) }
    }

    /// The time that was promised has come.
    ///
    /// - Returns: how much may be read, in bytes; `nil` when the promise is void.
    func take(_ turn: BandwidthTurn, now: MonotonicTime) -> Int? {
        with(turn) { $0.take(turn, $1, now: now) }
    }

    /// It was read: gives back what of the piece was not used.
    ///
    /// - Returns: whose turn comes next, and has to be told.
    func finish(_ turn: BandwidthTurn, unused: Int, now: MonotonicTime) -> BandwidthPromise? {
        with(turn) { $0.finish(turn, unused: unused, $1, now: now) }
    }

    /// It will not read any more.
    ///
    /// - Returns: whose turn comes next, and has to be told.
    func leave(_ turn: BandwidthTurn) -> BandwidthPromise? {
        with(turn) { queue, _ in queue.leave(turn) }
    }

    private func with<Answer: Sendable>(
        _ turn: BandwidthTurn, _ act: (inout BandwidthQueue, BandwidthPace) -> Answer
    ) -> Answer {
        let key = isPerClient ? turn.client : .everyone
        return turn.isUp ? up.withLock { $0.with(key, act) } : down.withLock { $0.with(key, act) }
    }
}

/// One direction of a connection that is under a bandwidth limit.
final class BandwidthTurn: Sendable {
    /// The loop that the connection belongs to.
    let loop: LoopShared
    /// The connection's slot and tag, for the loop.
    let request: UInt64
    let client: ClientKey
    /// From the client to the upstream.
    let isUp: Bool
    /// The connection has ended while it stood in the queue. Changes under the queue's lock only.
    let isGone = Atomic<Bool>(false)

    init(loop: LoopShared, request: UInt64, client: ClientKey, isUp: Bool) {
        self.loop = loop
        self.request = request
        self.client = client
        self.isUp = isUp
    }
}

/// What comes of asking to read.
enum BandwidthAnswer: Equatable {
    /// So many bytes, now; `finish` has to follow.
    case read(Int)
    /// At that time; `take` has to follow then.
    case wait(until: MonotonicTime)
    /// Others are first: a promise will come.
    case queued
}

/// Somebody's turn comes at a time.
struct BandwidthPromise {
    let turn: BandwidthTurn
    let at: MonotonicTime
}

/// How fast: one for all queues of a direction.
struct BandwidthPace {
    let nanosecondsPerByte: Double
    /// What one turn may read, in bytes: ten milliseconds' worth, so that a turn is longer than a timer is late.
    let quantum: Int

    init(bitsPerSecond: Int) {
        nanosecondsPerByte = 8e9 / Double(max(1, bitsPerSecond))
        quantum = min(Tuning.bytesPerTurn, max(2048, bitsPerSecond / 8 / 100))
    }

    func time(_ bytes: Int) -> UInt64 { UInt64(Double(max(0, bytes)) * nanosecondsPerByte) }
}

/// The queues of one direction: one for all, or one for each client.
private struct BandwidthQueues {
    private var pace: BandwidthPace
    private var queues: [ClientKey: BandwidthQueue] = [:]
    private var sweepAt = 1024

    init(bitsPerSecond: Int) { pace = BandwidthPace(bitsPerSecond: bitsPerSecond) }

    mutating func setRate(bitsPerSecond: Int) { pace = BandwidthPace(bitsPerSecond: bitsPerSecond) }

    mutating func with<Answer>(_ key: ClientKey, _ act: (inout BandwidthQueue, BandwidthPace) -> Answer) -> Answer {
        if queues.count >= sweepAt {
            let now = MonotonicTime.now()
            queues = queues.filter { !$0.value.isIdle(now) }
            sweepAt = max(1024, queues.count * 2)
        }
        let pace = self.pace
        return act(&queues[key, default: BandwidthQueue()], pace)
    }
}
