internal import DequeModule
internal import HeapModule
internal import LinuxSystem
internal import Synchronization

/// Who reads next under one bandwidth limit. One turn at a time is promised; when it is over, the next goes to the waiting
/// client that has had the least (start-time fair queueing, Goyal 1996), and within a client to the connection that waits longest.
struct BandwidthQueue {
    private struct Client {
        /// What it has had, in bytes, or what it is taken to have had while it wanted nothing.
        var served: UInt64
        var line = Deque<BandwidthTurn>()
        /// It stands in `waiting`.
        var isListed = false
        /// Turns of its that are promised or under way.
        var busy = 0
    }

    private struct Place: Comparable {
        let served: UInt64
        let order: UInt64
        let client: ClientKey

        static func < (left: Place, right: Place) -> Bool {
            (left.served, left.order) < (right.served, right.order)
        }
    }

    /// When the next piece may begin, in nanoseconds of the monotonic clock.
    private var next: UInt64 = 0
    private var promised: BandwidthPromise?
    private var clients: [ClientKey: Client] = [:]
    private var waiting = Heap<Place>()
    private var order: UInt64 = 0
    /// What the client that was served last had had before.
    private var level: UInt64 = 0
    private var sweepAt = 1024

    /// Nobody waits, and no time is owed.
    func isIdle(_ now: MonotonicTime) -> Bool {
        promised == nil && waiting.isEmpty && next + Tuning.bandwidthTolerance < now.nanoseconds
            && clients.values.allSatisfy { $0.busy == 0 }
    }

    mutating func ask(_ turn: BandwidthTurn, _ pace: BandwidthPace, now: MonotonicTime) -> BandwidthAnswer {
        if promised == nil, waiting.isEmpty {
            if next <= now.nanoseconds {
                begin(turn, pace, now)
                return .read(pace.quantum)
            }
            let at = MonotonicTime(nanoseconds: next)
            promise(turn, at)
            return .wait(until: at)
        }
        clients[turn.client, default: Client(served: level)].line.append(turn)
        list(turn.client, pace)
        return .queued
    }

    mutating func take(_ turn: BandwidthTurn, _ pace: BandwidthPace, now: MonotonicTime) -> Int? {
        guard promised?.turn === turn else { return nil }
        promised = nil
        clients[turn.client]?.busy -= 1
        begin(turn, pace, now)
        return pace.quantum
    }

    mutating func finish(
        _ turn: BandwidthTurn, unused: Int, _ pace: BandwidthPace, now: MonotonicTime
    ) -> BandwidthPromise? {
        let time = pace.time(abs(unused))
        next = unused < 0 ? next + time : next - min(next, time)
        clients[turn.client]?.busy -= 1
        if let served = clients[turn.client]?.served {
            let bytes = UInt64(abs(unused))
            clients[turn.client]?.served = unused < 0 ? served + bytes : served - min(served, bytes)
        }
        list(turn.client, pace)
        guard let promise = promised else { return promote() }
        // Another loop was promised its time while this one read, and need not wait for what was not used.
        guard next + Tuning.bandwidthHaste < promise.at.nanoseconds else { return nil }
        let sooner = BandwidthPromise(turn: promise.turn, at: MonotonicTime(nanoseconds: next))
        promised = sooner
        return sooner
    }

    mutating func leave(_ turn: BandwidthTurn) -> BandwidthPromise? {
        turn.isGone.store(true, ordering: .relaxed)
        guard promised?.turn === turn else { return nil }
        promised = nil
        clients[turn.client]?.busy -= 1
        list(turn.client, nil)
        return promote()
    }

    // MARK: Turns

    private mutating func begin(_ turn: BandwidthTurn, _ pace: BandwidthPace, _ now: MonotonicTime) {
        // Timers are late: what was missed meanwhile may be made up for.
        let oldest = now.nanoseconds - min(now.nanoseconds, Tuning.bandwidthTolerance)
        next = max(next, oldest) + pace.time(pace.quantum)
        forget(pace)
        let start = self.start(of: turn.client, pace)
        level = max(level, start)
        clients[turn.client, default: Client(served: start)].served = start + UInt64(pace.quantum)
        clients[turn.client]?.busy += 1
    }

    private mutating func promise(_ turn: BandwidthTurn, _ at: MonotonicTime) {
        promised = BandwidthPromise(turn: turn, at: at)
        clients[turn.client, default: Client(served: level)].busy += 1
    }

    /// Promises the next turn; the time may have passed already.
    private mutating func promote() -> BandwidthPromise? {
        while let place = waiting.popMin() {
            clients[place.client]?.isListed = false
            while let turn = clients[place.client]?.line.popFirst() {
                guard !turn.isGone.load(ordering: .relaxed) else { continue }
                promise(turn, MonotonicTime(nanoseconds: next))
                return promised
            }
        }
        return nil
    }

    // MARK: Clients

    /// Puts a client among those that wait, if one of its connections does and none has its turn.
    private mutating func list(_ key: ClientKey, _ pace: BandwidthPace?) {
        guard let client = clients[key], !client.isListed, client.busy == 0, !client.line.isEmpty else { return }
        let start = pace.map { self.start(of: key, $0) } ?? client.served
        order += 1
        clients[key]?.served = start
        clients[key]?.isListed = true
        waiting.insert(Place(served: start, order: order, client: key))
    }

    /// What a client counts as having had. Who was slow to ask again keeps his due for a while, not for ever; who comes new
    /// has as much as the others.
    private func start(of key: ClientKey, _ pace: BandwidthPace) -> UInt64 {
        guard let served = clients[key]?.served else { return level }
        return max(served, level - min(level, UInt64(pace.quantum) * Tuning.bandwidthCredit))
    }

    /// Drops clients that wait for nothing and are owed nothing.
    private mutating func forget(_ pace: BandwidthPace) {
        guard clients.count >= sweepAt else { return }
        let floor = level - min(level, UInt64(pace.quantum) * Tuning.bandwidthCredit)
        clients = clients.filter { $0.value.busy > 0 || !$0.value.line.isEmpty || $0.value.served > floor }
        sweepAt = max(1024, clients.count * 2)
    }
}
