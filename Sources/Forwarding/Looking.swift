internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// When the loop looks at the subflows of its legs, and what comes of it.
///
/// By events: a connection that moves data is looked at four times a second. By the clock: every 20 ms those legs that wait
/// for an answer over one of several subflows (or, while no other link is up, over their only one), and once each leg that is
/// new.
extension EventLoop {
    /// The slot of the watch's own deadline.
    static let watchSlot = 2

    /// After an event: looks if it is time, and has the clock look further if that is needed.
    ///
    /// - Returns: false when that ended the connection.
    mutating func attend(_ slot: UInt32) -> Bool {
        let index = Int(slot)
        let now = self.now
        guard let relay = connections.slots[index]?.relay else { return false }
        let requires = relays[relay].plan.requiresMultipath
        if connections.slots[index]?.takeSampleTurn(now, proving: requires) == true {
            for side in [SideName.client, .upstream] where !look(slot, side, isLast: false) { return false }
        }
        watchIfWanted(slot, .client)
        watchIfWanted(slot, .upstream)
        return true
    }

    private mutating func watchIfWanted(_ slot: UInt32, _ side: SideName) {
        let index = Int(slot)
        let forStalls = watch.findsStalls
        let single = watch.judgesSingle
        guard connections.slots[index]?.startWatch(side, forStalls: forStalls, single: single) == true,
            let token = connections.slots[index]?.token(side)
        else { return }
        watch.add(token, firstLook: now + Tuning.lookInterval)
        armWatch(now + Tuning.lookInterval)
    }

    /// The links have changed. Those legs that wait for an answer over their only subflow, and were not looked at while there
    /// was another link, are looked at from now on: nothing may move there that would say so later.
    mutating func watchLastLink(_ links: [LinkCandidate]) {
        let others = links.filter { !$0.isRouted }
        let before = watch.judgesSingle
        watch.isLastLink = !others.isEmpty && others.count(where: \.isUp) < 2
        guard watch.judgesSingle, !before else { return }
        for index in 0..<connections.capacity where connections.slots[index] != nil {
            watchIfWanted(UInt32(index), .upstream)
        }
    }

    private mutating func armWatch(_ time: MonotonicTime) {
        guard watch.due == nil else { return }
        watch.due = time
        timers.schedule(Self.watchSlot, at: time)
    }

    // MARK: One look

    /// Reads a leg's subflows: books what they did, counts them, notices a fallback.
    ///
    /// - Parameter isLast: the leg's connection ends.
    /// - Returns: false when that ended the connection.
    @discardableResult
    mutating func look(_ slot: UInt32, _ side: SideName, isLast: Bool) -> Bool {
        let index = Int(slot)
        guard let raw = connections.slots[index]?.multipathSocket(side), raw >= 0,
            let account = connections.slots[index]?.account(side)
        else { return true }
        guard (try? reader.read(raw)) != nil else {
            // Its peer has just reset it.
            observer.forget(slot, side)
            accounts.close(account)
            connections.slots[index]?.setAccount(side, -1)
            return true
        }
        if observer.isOn { observe(slot, side, isLast: isLast) }
        let booked = accounts.book(account, reader, isLast: isLast, now: now)
        connections.slots[index]?.setAccount(side, booked)
        let isMultipath = reader.info.map { !$0.hasFallenBack } ?? (MultipathState.of(raw) == .multipath)
        var count = 0
        for position in 0..<reader.count where reader[position].isInUse { count += 1 }
        let now = self.now
        connections.slots[index]?.learn(side, subflows: count, isMultipath: isMultipath, now: now)
        if side == .upstream, !isLast, isMultipath { probe(slot) }
        if !isMultipath { noteFallback(slot) }
        if !isMultipath, !isLast, let relay = connections.slots[index]?.relay, relays[relay].plan.requiresMultipath {
            finish(slot, Connection.End(result: .refused, reset: true))
            return false
        }
        return true
    }

    // MARK: By the clock

    /// Looks at the watched legs whose time has come, at most so many; the others have their turn at the next tick.
    mutating func lookAtWatched() {
        if let due = watch.due, now.since(due) > Tuning.lookInterval { watch.leaveOut(now.since(due)) }
        watch.due = nil
        var looks = 0
        var left = watch.entries.count
        var index = watch.cursor < left ? watch.cursor : 0
        stalls.removeAll(keepingCapacity: true)
        while left > 0, looks < Tuning.looksPerTick {
            left -= 1
            if index >= watch.entries.count { index = 0 }
            switch lookByClock(index, &looks) {
            case .keep: index += 1
            case .drop: drop(index)
            }
        }
        watch.cursor = index
        reportStalls()
        if !watch.entries.isEmpty { armWatch(now + Tuning.lookInterval) }
    }

    private enum Verdict {
        case keep
        case drop
    }

    private mutating func lookByClock(_ index: Int, _ looks: inout Int) -> Verdict {
        let token = watch.entries[index].token
        let tag = EventTag(rawValue: token.tag)
        let side: SideName = tag.kind == .upstream ? .upstream : .client
        guard connections.holds(token.slot, generation: tag.generation) else { return .drop }
        let slot = Int(token.slot)
        let now = self.now
        let forStalls = watch.findsStalls
        let single = watch.judgesSingle
        switch connections.slots[slot]?.need(side, forStalls: forStalls, single: single, now: now) {
        case .nothing, nil: return .drop
        case .later: return .keep
        case .firstLook:
            looks += 1
            guard look(token.slot, side, isLast: false) else { return .drop }
            let need = connections.slots[slot]?.need(side, forStalls: forStalls, single: single, now: now)
            return need == .nothing ? .drop : .keep
        case .lookIfOutstanding:
            guard let raw = connections.slots[slot]?.multipathSocket(side),
                watch.waits(index) || linux_bytes_unsent(raw) > 0
            else { return .drop }
        case .look: break
        }
        if watch.entries[index].nextLook > now { return .keep }
        looks += 1
        return lookForStall(index, token.slot, side)
    }

    private mutating func lookForStall(_ index: Int, _ slot: UInt32, _ side: SideName) -> Verdict {
        guard let raw = connections.slots[Int(slot)]?.multipathSocket(side), (try? reader.read(raw)) != nil else {
            return .drop
        }
        let finding = watch.judge(index, reader, &accounts, now: now)
        if side == .upstream { noteWaiting(slot) }
        switch finding {
        case .settled:
            // Bytes that a full window keeps from being sent at all may go out later without an event here.
            if linux_bytes_unsent(raw) > 0 {
                // What is stuck on the only subflow is freed as soon as another one opens: not a quarter of a second later.
                let isStuck = reader.count == 1 && reader[0].tcp.retransmissionsInRow > 0
                if !isStuck { watch.postpone(index, until: now + Tuning.sampleIntervalNanoseconds) }
                return .keep
            }
            connections.slots[Int(slot)]?.settleLeg(side)
            return .drop
        case .waiting: break
        case .stalled(let position): noteStall(reader[position], slot, side)
        case .allStalled: noteAllStalled(slot, side)
        }
        return .keep
    }

    private mutating func drop(_ index: Int) {
        let token = watch.entries[index].token
        let tag = EventTag(rawValue: token.tag)
        if connections.holds(token.slot, generation: tag.generation) {
            connections.slots[Int(token.slot)]?.endWatch(tag.kind == .upstream ? .upstream : .client)
        }
        watch.remove(index)
    }

    // MARK: Reports

    private mutating func noteStall(_ subflow: Subflow, _ slot: UInt32, _ side: SideName) {
        guard let id = connections.slots[Int(slot)]?.id, let relay = connections.slots[Int(slot)]?.relay else { return }
        let local = accounts.local(of: subflow)
        stalls.append(
            StallFound(
                connection: id, relay: relays[relay].plan.id, side: side, subflow: subflow, local: UInt8(local)))
    }

    /// After a round of looks, so that the numbers are those of all that were looked at.
    private mutating func reportStalls() {
        var local: UInt8?
        var tally = (outstanding: 0, stuck: 0)
        for stall in stalls {
            if stall.local != local {
                local = stall.local
                tally = watch.tally(stall.local)
            }
            shared.report(
                .subflowStalled(
                    SubflowStall(
                        connection: stall.connection, relay: stall.relay, leg: stall.side.leg,
                        local: stall.subflow.local, remote: stall.subflow.remote, id: stall.subflow.id,
                        silence: UInt64(stall.subflow.tcp.lastAcknowledgementMilliseconds) * 1_000_000,
                        unacknowledged: stall.subflow.tcp.unacknowledgedSegments,
                        outstanding: tally.outstanding, stuck: tally.stuck)),
                vital: true)
        }
    }

    private mutating func noteAllStalled(_ slot: UInt32, _ side: SideName) {
        guard let id = connections.slots[Int(slot)]?.id, let relay = connections.slots[Int(slot)]?.relay else { return }
        let stall = ConnectionStall(
            connection: id, relay: relays[relay].plan.id, leg: side.leg, subflows: reader.count)
        shared.report(.connectionStalled(stall), vital: true)
    }
}

/// A stall, until the numbers around it are known.
struct StallFound {
    let connection: UInt64
    let relay: Int
    let side: SideName
    let subflow: Subflow
    /// The place of its address in the accounts.
    let local: UInt8
}

extension SideName {
    var leg: SubflowSnapshot.Leg { self == .client ? .client : .upstream }
}
