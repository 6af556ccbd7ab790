internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// What a connection under a bandwidth limit waits for. Others have none.
final class Throttle {
    /// Whose limit it is.
    let key: ClientKey
    /// When each direction may read the piece that it has reserved; `.never` when it waits for none.
    var upTurn = MonotonicTime.never
    var downTurn = MonotonicTime.never
    /// When the connection is to be looked at for other reasons.
    var deadline = MonotonicTime.never

    init(_ key: ClientKey) { self.key = key }

    var next: MonotonicTime { min(upTurn, downTurn) }
}

/// Relaying under a bandwidth limit: a direction whose turn has not come is not watched for reading until it has.
extension EventLoop {
    /// Serves one event.
    mutating func serveLimited(_ slot: UInt32, _ relay: Int, _ side: SideName, _ readiness: Readiness) {
        let index = Int(slot)
        guard let rate = relays[relay].plan.handshake.bandwidth else { return }
        let throttle: Throttle
        if let present = connections.slots[index]?.throttle {
            throttle = present
        } else {
            throttle = Throttle(ClientKey(connections.slots[index]?.clientAddress ?? .none))
            connections.slots[index]?.throttle = throttle
        }
        let isUp = side == .client
        let reads = !readiness.isDisjoint(with: [.readable, .failed, .hungUp])
        guard reads, (isUp ? throttle.upTurn : throttle.downTurn) == .never else {
            return move(slot, relay, side, readiness)
        }
        let turn = rate.reserve(throttle.key, isUp: isUp, now: now)
        if turn <= now { return read(slot, relay, side, readiness, rate, throttle) }
        if isUp { throttle.upTurn = turn } else { throttle.downTurn = turn }
        connections.slots[index]?.setLimit(side, 0)
        move(slot, relay, side, readiness)
        scheduleTurn(slot, relay)
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

    /// Reads a piece, and gives back what there was not to read.
    private mutating func read(
        _ slot: UInt32, _ relay: Int, _ side: SideName, _ readiness: Readiness, _ rate: BandwidthRate,
        _ throttle: Throttle
    ) {
        let index = Int(slot)
        let before = connections.slots[index]?.taken(side) ?? 0
        connections.slots[index]?.setLimit(side, rate.quantum)
        let noDelay = relays[relay].followsNoDelay
        guard
            let served = connections.slots[index]?.serveCounting(
                side, readiness, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        else { return }
        let used = Int((connections.slots[index]?.taken(side) ?? before) &- before)
        connections.slots[index]?.setLimit(side, .max)
        rate.giveBack(throttle.key, isUp: side == .client, bytes: rate.quantum - used, now: now)
        settle(slot, relay, served)
    }

    private mutating func scheduleTurn(_ slot: UInt32, _ relay: Int) {
        guard let throttle = connections.slots[Int(slot)]?.throttle else { return }
        timers.schedule(Int(slot), at: min(throttle.deadline, throttle.next))
    }

    /// The slot's time has come: reads what waited for its turn.
    ///
    /// - Returns: true when that was all there was to do.
    mutating func takeTurns(_ slot: UInt32, _ relay: Int) -> Bool {
        let index = Int(slot)
        guard let rate = relays[relay].plan.handshake.bandwidth, let throttle = connections.slots[index]?.throttle
        else {
            return false
        }
        if throttle.upTurn <= now {
            throttle.upTurn = .never
            read(slot, relay, .client, .readable, rate, throttle)
        }
        guard connections.slots[index] != nil else { return true }
        if throttle.downTurn <= now {
            throttle.downTurn = .never
            read(slot, relay, .upstream, .readable, rate, throttle)
        }
        guard connections.slots[index] != nil else { return true }
        if throttle.deadline <= now { return false }
        scheduleTurn(slot, relay)
        return true
    }
}

extension Connection {
    /// Bounds what one direction may read in a turn: 0 stops it, `.max` does not bound it.
    mutating func setLimit(_ side: SideName, _ limit: Int) {
        if side == .client || isEcho { up.limit = Int32(clamping: limit) } else { down.limit = Int32(clamping: limit) }
    }

    /// What a direction has read so far.
    func taken(_ side: SideName) -> UInt64 {
        side == .client || isEcho ? up.moved + UInt64(up.held) : down.moved + UInt64(down.held)
    }
}
