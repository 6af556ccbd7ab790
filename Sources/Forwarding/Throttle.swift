internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// What a connection under a bandwidth limit waits for. Others have none.
final class Throttle {
    /// One direction's place under the limit.
    struct Direction {
        let turn: BandwidthTurn
        /// It stands in the queue, or its turn was promised.
        var isWaiting = false
        /// When its promised turn comes; `.never` when none is promised.
        var at = MonotonicTime.never
    }

    var up: Direction
    var down: Direction
    /// When the connection is to be looked at for other reasons.
    var deadline = MonotonicTime.never

    init(loop: LoopShared, token: EventToken, client: ClientKey) {
        let request = UInt64(token.slot) << 32 | UInt64(token.tag)
        up = Direction(turn: BandwidthTurn(loop: loop, request: request, client: client, isUp: true))
        down = Direction(turn: BandwidthTurn(loop: loop, request: request, client: client, isUp: false))
    }

    var next: MonotonicTime { min(up.at, down.at) }

    subscript(side: SideName) -> Direction {
        get { side == .client ? up : down }
        set { if side == .client { up = newValue } else { down = newValue } }
    }
}

/// Relaying under a bandwidth limit: a direction whose turn has not come is not watched for reading until it has.
extension EventLoop {
    /// Serves one event.
    mutating func serveLimited(_ slot: UInt32, _ relay: Int, _ side: SideName, _ readiness: Readiness) {
        guard let rate = relays[relay].plan.handshake.bandwidth, let throttle = throttle(slot) else { return }
        let reads = !readiness.isDisjoint(with: [.readable, .failed, .hungUp])
        guard reads, !throttle[side].isWaiting else { return move(slot, relay, side, readiness) }
        switch rate.ask(throttle[side].turn, now: now) {
        case .read(let bytes): return read(slot, relay, side, readiness, rate, throttle, bytes)
        case .wait(let until): throttle[side].at = until
        case .queued: break
        }
        throttle[side].isWaiting = true
        connections.slots[Int(slot)]?.setLimit(side, Connection.readsNothing)
        move(slot, relay, side, readiness)
        scheduleTurn(slot)
    }

    private mutating func throttle(_ slot: UInt32) -> Throttle? {
        if let present = connections.slots[Int(slot)]?.throttle { return present }
        guard let token = connections.slots[Int(slot)]?.token(.client),
            let client = connections.slots[Int(slot)]?.clientAddress
        else { return nil }
        let throttle = Throttle(loop: shared, token: token, client: ClientKey(client))
        connections.slots[Int(slot)]?.throttle = throttle
        return throttle
    }

    /// Moves without reading more than what is allowed already.
    private mutating func move(_ slot: UInt32, _ relay: Int, _ side: SideName, _ readiness: Readiness) {
        let noDelay = relays[relay].followsNoDelay
        guard
            let served = connections.slots[Int(slot)]?.serveCounting(
                side, readiness, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        else { return }
        settle(slot, relay, served)
    }

    /// Reads a piece, gives back what there was not to read, and tells whose turn is next.
    private mutating func read(
        _ slot: UInt32, _ relay: Int, _ side: SideName, _ readiness: Readiness, _ rate: BandwidthRate,
        _ throttle: Throttle, _ bytes: Int
    ) {
        let index = Int(slot)
        let before = connections.slots[index]?.taken(side) ?? 0
        connections.slots[index]?.setLimit(side, bytes)
        // What is watched for is settled while it serves, and so by the limit that it has then: one that is not 0.
        let noDelay = relays[relay].followsNoDelay
        let served = connections.slots[index]?.serveCounting(
            side, readiness, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        let used = Int((connections.slots[index]?.taken(side) ?? before) &- before)
        connections.slots[index]?.setLimit(side, Connection.readsWhenTold)
        tell(rate.finish(throttle[side].turn, unused: bytes - used, now: now))
        if let served { settle(slot, relay, served) }
    }

    private mutating func scheduleTurn(_ slot: UInt32) {
        guard let throttle = connections.slots[Int(slot)]?.throttle else { return }
        // The wheel rounds up: what is due is due now.
        let next: MonotonicTime = throttle.next <= now ? MonotonicTime(nanoseconds: 0) : throttle.next
        timers.schedule(Int(slot), at: min(throttle.deadline, next))
    }

    // MARK: Promises

    /// Passes a promise on to the loop that it concerns.
    private mutating func tell(_ promise: BandwidthPromise?) {
        guard let promise else { return }
        if promise.turn.loop === shared {
            bandwidthPromised(promise.turn.request, isUp: promise.turn.isUp, at: promise.at)
        } else {
            promise.turn.loop.send(
                .bandwidthPromised(request: promise.turn.request, isUp: promise.turn.isUp, at: promise.at))
        }
    }

    /// A connection's turn to read comes at a time.
    mutating func bandwidthPromised(_ request: UInt64, isUp: Bool, at: MonotonicTime) {
        let slot = UInt32(truncatingIfNeeded: request >> 32)
        let generation = EventTag(rawValue: UInt32(truncatingIfNeeded: request)).generation
        guard connections.holds(slot, generation: generation), let throttle = connections.slots[Int(slot)]?.throttle
        else { return }
        throttle[isUp ? .client : .upstream].at = at
        scheduleTurn(slot)
    }

    /// A connection ends: whoever comes after it is told.
    mutating func leaveTurns(_ slot: UInt32, _ relay: Int) {
        guard let rate = relays[relay].plan.handshake.bandwidth, let throttle = connections.slots[Int(slot)]?.throttle
        else { return }
        for side in [SideName.client, .upstream] where throttle[side].isWaiting {
            throttle[side].isWaiting = false
            tell(rate.leave(throttle[side].turn))
        }
    }

    /// The slot's time has come: reads what was promised.
    ///
    /// - Returns: true when that was all there was to do.
    mutating func takeTurns(_ slot: UInt32, _ relay: Int) -> Bool {
        let index = Int(slot)
        guard let rate = relays[relay].plan.handshake.bandwidth, let throttle = connections.slots[index]?.throttle
        else {
            return false
        }
        for side in [SideName.client, .upstream] where throttle[side].at <= now {
            throttle[side].at = .never
            guard let bytes = rate.take(throttle[side].turn, now: now) else { continue }
            throttle[side].isWaiting = false
            read(slot, relay, side, .readable, rate, throttle, bytes)
            guard connections.slots[index] != nil else { return true }
        }
        if throttle.deadline <= now { return false }
        scheduleTurn(slot)
        return true
    }
}

extension Connection {
    /// A limit with which a direction is not watched for reading.
    static let readsNothing = 0
    /// A limit with which it is watched, and read only when its turn is there.
    static let readsWhenTold = -1

    /// Bounds what one direction may read in a turn.
    mutating func setLimit(_ side: SideName, _ limit: Int) {
        if side == .client || isEcho { up.limit = Int32(clamping: limit) } else { down.limit = Int32(clamping: limit) }
    }

    /// What a direction has read so far.
    func taken(_ side: SideName) -> UInt64 {
        side == .client || isEcho ? up.moved + UInt64(up.held) : down.moved + UInt64(down.held)
    }
}
