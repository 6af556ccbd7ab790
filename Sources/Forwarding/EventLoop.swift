internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import MultipathTCP
public import SystemPackage

/// One thread's share of the data plane: accepts, dials and relays, and knows nothing else.
///
/// Concurrency: created inside its thread and used by no other. All that others see of it is `LoopShared`.
public struct EventLoop: ~Copyable {
    let shared: LoopShared
    var poller: Poller
    var connections = ConnectionTable()
    var relays = UniqueArray<RelayState>()
    var listeners = UniqueArray<ListenerState?>()
    var timers: TimerWheel
    var carriers = Carriers()
    var now: MonotonicTime
    var draining = false
    var stopped = false
    var drainReported = false
    /// The links to dial from; none: the routing table chooses.
    var ranking = LinkRanking()
    /// Measures bulk connections.
    var quality = QualityWatch()
    /// The main thread wants to know when links were counted.
    var tellsOfLinks = false
    private var nextLinksTold = MonotonicTime(nanoseconds: 0)
    /// Legs that are looked at by the clock.
    var watch = LegWatch()
    var accounts = LinkAccounts()
    var witness = FallbackWitness()
    var reader = SubflowReader()
    /// Found in the current round of looks.
    var stalls: [StallFound] = []
    /// Lists that were asked for and are not complete.
    var listings: [Listing] = []
    /// Accepting rests until slot 0's deadline.
    var acceptBackoff = false
    /// It was reported that accepting rests; nobody was accepted since.
    var backoffReported = false
    /// It was reported that MPTCP sockets cannot be made.
    var multipathReported = false
    /// How many error answers converters may still give in this second.
    var errorAnswers = (until: MonotonicTime(nanoseconds: 0), left: 0)
    /// Reports wait that the main thread was not told of.
    private var hasUntold = false
    private var nextTelling = MonotonicTime(nanoseconds: 0)
    private var tellingArmed = false
    private var nextID: UInt64
    private let allLoops: @Sendable () -> Void
    /// The slot whose deadline is that of waiting reports.
    private static let reportSlot = 1

    /// - Parameters:
    ///   - shared: the loop's face to other threads.
    ///   - resumeAll: called when a place became free that a listener of any loop waits for; tells every loop.
    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init(shared: LoopShared, resumeAll: @escaping @Sendable () -> Void) throws(Errno) {
        // Locals first: a half-built value of this type could not be destroyed.
        let poller = try Poller(capacity: Tuning.eventsPerWait)
        try poller.add(shared.wakeDescriptor, .readable, EventToken(slot: 0, tag: EventTag(kind: .mailbox).rawValue))
        self.shared = shared
        allLoops = resumeAll
        self.poller = poller
        now = .now()
        timers = TimerWheel(now: now)
        timers.reserve(Self.watchSlot)
        // Ids are unique over all loops: the loop's index is in the low bits.
        nextID = UInt64(shared.index)
    }

    /// Runs until it is told to stop. When it ends, all its sockets are closed.
    public mutating func run() {
        while !stopped {
            let count: Int
            do throws(Errno) {
                count = try poller.wait(milliseconds: patience())
            } catch {
                shared.report(.failed(call: "epoll_wait", error: error), vital: true)
                return
            }
            now = .now()
            for index in 0..<count {
                let event = poller.event(index)
                dispatch(event.readiness, event.token)
            }
            expire()
            continueListing()
            publish()
            tellReports()
        }
    }

    /// How long the poller may wait, in milliseconds: rounded up, so that a deadline has come when it wakes.
    private func patience() -> CInt {
        if !listings.isEmpty { return 0 }
        let deadline = timers.nextDeadline()
        if deadline == .never { return -1 }
        return CInt(clamping: (deadline.since(.now()) + 999_999) / 1_000_000)
    }

    private mutating func dispatch(_ readiness: Readiness, _ token: EventToken) {
        let tag = EventTag(rawValue: token.tag)
        switch tag.kind {
        case .client: serve(token.slot, tag.generation, .client, readiness)
        case .upstream: serve(token.slot, tag.generation, .upstream, readiness)
        case .attempt:
            if connections.holds(token.slot, generation: tag.generation) {
                attemptDecided(token.slot, tag.index, readiness)
            }
        case .listener: accept(Int(token.slot))
        case .mailbox: obey()
        case .none: break
        }
    }

    private mutating func serve(_ slot: UInt32, _ generation: UInt32, _ side: SideName, _ readiness: Readiness) {
        guard connections.holds(slot, generation: generation) else { return }
        let index = Int(slot)
        guard let relay = connections.slots[index]?.relay else { return }
        if connections.slots[index]?.phase != .relaying {
            if connections.slots[index]?.phase == .handshake { return handshakeEvent(slot, side, readiness) }
            return side == .client ? clientEventWhileDialing(slot, readiness) : ()
        }
        if relays[relay].isLimited { return serveLimited(slot, relay, side, readiness) }
        let noDelay = relays[relay].followsNoDelay
        guard
            let served = connections.slots[index]?.serveCounting(
                side, readiness, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        else { return }
        settle(slot, relay, served)
    }

    /// After something happened to a relaying connection: counts it, and ends the connection or sees to its deadline.
    mutating func settle(_ slot: UInt32, _ relay: Int, _ served: Connection.Served) {
        relays[relay].counters.bytesUp &+= served.bytesUp
        relays[relay].counters.bytesDown &+= served.bytesDown
        relays[relay].dirty = true
        if let end = served.end { return finish(slot, end) }
        if served.bytesUp &+ served.bytesDown != 0 { noteMoved(slot, relay, served.bytesUp &+ served.bytesDown) }
        let forStalls = watch.findsStalls
        if connections.slots[Int(slot)]?.needsAttention(now, forStalls: forStalls) == true, !attend(slot) { return }
        let timeouts = relays[relay].timeouts
        if connections.slots[Int(slot)]?.needsDeadline(timeouts) == true { rearm(slot, relay) }
    }

    /// Sets the deadline of a relaying connection anew.
    mutating func rearm(_ slot: UInt32, _ relay: Int) {
        let timeouts = relays[relay].timeouts
        let now = self.now
        guard var deadline = connections.slots[Int(slot)]?.armDeadline(timeouts, now: now) else { return }
        if relays[relay].isLimited, let throttle = connections.slots[Int(slot)]?.throttle {
            throttle.deadline = deadline
            deadline = min(deadline, throttle.next)
        }
        timers.schedule(Int(slot), at: deadline)
    }

    // MARK: Deadlines

    private mutating func expire() {
        while let slot = timers.popExpired(now: now) {
            if slot == 0 {
                resumeAfterBackoff()
                continue
            }
            if slot == Self.reportSlot {
                tellingArmed = false
                continue
            }
            if slot == Self.watchSlot {
                lookAtWatched()
                continue
            }
            guard let phase = connections.slots[slot]?.phase else { continue }
            switch phase {
            case .resolving, .dialing: dialDeadline(UInt32(slot))
            case .handshake: handshakeDeadline(UInt32(slot))
            case .relaying: relayDeadline(UInt32(slot))
            }
        }
    }

    private mutating func relayDeadline(_ slot: UInt32) {
        guard let relay = connections.slots[Int(slot)]?.relay else { return }
        if relays[relay].isLimited, takeTurns(slot, relay) { return }
        let timeouts = relays[relay].timeouts
        connections.slots[Int(slot)]?.setKeepalive(timeouts, now: now)
        if connections.slots[Int(slot)]?.upstreamLeg.isProbing == true { lookAtProbes(slot, timeouts) }
        guard let deadline = connections.slots[Int(slot)]?.deadline(timeouts) else { return }
        if deadline.at <= now {
            return finish(slot, Connection.End(result: deadline.result, error: .timedOut, reset: true))
        }
        if connections.slots[Int(slot)]?.checkAcknowledgement(timeouts, now: now) == true {
            return finish(slot, Connection.End(result: .userTimeout, error: .timedOut, reset: true))
        }
        rearm(slot, relay)
    }

    // MARK: Reports

    /// Queues a report that nobody waits for. The first after a quiet time is told at once, the others together a little later.
    mutating func tell(_ report: LoopReport) {
        shared.report(report)
        hasUntold = true
    }

    /// At the end of a turn: tells the main thread what it was not told yet, or sees to it that it will be.
    private mutating func tellReports() {
        guard hasUntold else { return }
        if now >= nextTelling {
            hasUntold = false
            nextTelling = now + Tuning.reportInterval
            shared.wakeReader()
        } else if !tellingArmed {
            tellingArmed = true
            timers.schedule(Self.reportSlot, at: nextTelling)
        }
    }

    // MARK: Beginning and end

    /// The next connection's id.
    mutating func makeID() -> UInt64 {
        nextID &+= 256
        return nextID
    }

    /// The one place where a connection ends: counted, reported, closed.
    mutating func finish(_ slot: UInt32, _ end: Connection.End) {
        guard let relay = connections.slots[Int(slot)]?.relay else { return }
        timers.cancel(Int(slot))
        forgetMeasured(slot)
        look(slot, .client, isLast: true)
        look(slot, .upstream, isLast: true)
        leaveMember(slot, relay)
        leaveLimits(slot, relay)
        var end = end
        // Whoever was served before it was noticed was served for the last time.
        if relays[relay].plan.requiresMultipath, end.result == .closed, connections.slots[Int(slot)]?.fellBack == true {
            end = Connection.End(result: .refused, reset: true)
        }
        let id = relays[relay].plan.id
        guard
            let record = connections.slots[Int(slot)]?.dismantle(end, now: now, relayID: id, carriers: &carriers)
        else { return }
        connections.remove(slot)
        count(record, relay)
        tell(.connectionEnded(record))
        if relays[relay].plan.gate.leave() { allLoops() }
        letGo(relay)
        reportIfDrained()
    }

    private mutating func count(_ record: ConnectionRecord, _ relay: Int) {
        RelayTally.ended(relays[relay].block, record)
        relays[relay].counters.open &-= 1
        switch record.result {
        case .refused: relays[relay].counters.refused += 1
        case .connectFailed, .outOfDescriptors, .handshakeFailed, .handshakeTimeout: relays[relay].counters.failed += 1
        default: break
        }
        switch record.multipath {
        case .yes: relays[relay].counters.multipath += 1
        case .fallback: relays[relay].counters.fallback += 1
        case .no: break
        }
        relays[relay].dirty = true
    }

    /// Gives back what the connection holds of what its client may have.
    private mutating func leaveLimits(_ slot: UInt32, _ relay: Int) {
        if relays[relay].isLimited { leaveTurns(slot, relay) }
        if let client = connections.slots[Int(slot)]?.clientPlace {
            relays[relay].plan.handshake.clientLimit?.leave(client)
        }
    }

    /// Makes the counters visible to other threads.
    private mutating func publish() {
        inherit()
        for index in 0..<relays.count where relays[index].dirty {
            relays[index].dirty = false
            shared.noteActivity()
            relays[index].block.publish(relays[index].counters)
        }
        if accounts.publish(), tellsOfLinks, now >= nextLinksTold {
            nextLinksTold = now + Tuning.linksInterval
            tell(.linksCounted)
        }
        shared.publish(connections: connections.count)
    }

    mutating func reportIfDrained() {
        if draining, connections.count == 0, !drainReported {
            drainReported = true
            shared.report(.drained, vital: true)
        }
    }
}
