internal import Admin
internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

/// What the main thread does while the loops relay.
extension Supervisor {
    /// How often the service manager hears that a drain goes on.
    private static let extendInterval = Duration.seconds(5)
    /// How soon after a change the status line follows it, at most once in that time.
    private static let statusInterval = Duration.seconds(1)

    /// Runs until a signal ends the daemon.
    ///
    /// - Returns: false when it had to give up by itself.
    public mutating func run() -> Bool {
        while !finished {
            do throws(Errno) {
                try turn()
            } catch {
                logger.critical("the main loop cannot wait for events: \(error)")
                failed = true
                finished = true
            }
        }
        loops.stop()
        drainReports()
        if !handedOver {
            door.close(logger)
            admin.stop(logger)
            paths.judgeLinks(loops)
            removeSocketFiles()
            paths.stop()
        }
        logger.event(
            .daemonStopped, "stopped",
            metadata: ["connections-reset": .stringConvertible(connectionsReset)])
        return !failed
    }

    private mutating func turn() throws(Errno) {
        try upstreams.settle(poller, tag: Tag.resolver.rawValue, loops)
        // What it has found must not wait for the next event to be shown.
        publishPools()
        let count = try poller.wait(milliseconds: patience())
        for index in 0..<count {
            let event = poller.event(index)
            switch Tag(rawValue: event.token.tag) {
            case .signals: try takeSignals()
            case .admin: takeAdminRequests()
            case .reports: takeReports(Int(event.token.slot))
            case .destinations: destinations.process(event.readiness, event.token)
            case .upstreamChecks: upstreams.checks.process(event.token, event.readiness)
            case .takeoverDoor: letSuccessorIn()
            case .successor: hearSuccessor()
            case .retiredListener: retired.turnAway(event.token)
            case .links: receiveLinks()
            case .pathEvents: paths.receiveEvents(loops)
            case .subflowNews: news.receive(loops, poller, logger)
            case .resolver, .none: upstreams.resolver.process(event.readiness, event.token)
            }
        }
        try destinations.settle(poller, tag: Tag.destinations.rawValue, loops)
        meetDeadlines()
        publishLinks()
        publishPools()
    }

    private func patience() -> CInt {
        let upstreams = min(self.upstreams.deadline, destinations.deadline)
        let next = min(min(deadlines.next, upstreams), min(min(paths.nextDeadline, admin.pingDeadline), log.deadline))
        if next == .never { return -1 }
        return CInt(clamping: (next.since(.now()) + 999_999) / 1_000_000)
    }

    // MARK: Signals

    private mutating func takeSignals() throws(Errno) {
        while let signal = try signals.next() {
            switch signal {
            case Signals.reload:
                _ = reload()
            case Signals.handOver: startSuccessor()
            case Signals.stall: stallForTest()
            default: stop(signal)
            }
        }
    }

    private mutating func stop(_ signal: CInt) {
        if handedOver { return stopAfterHandover(signal) }
        if draining {
            logger.notice("a second signal: ending at once")
            finish()
            return
        }
        draining = true
        // One that is about to take over is not to begin what is being stopped.
        door.dropSuccessor()
        do throws(Errno) {
            try lifeline.sayFarewell()
        } catch {
            logger.notice("processes that have handed over do not hear that this one stops: \(error)")
        }
        admin.view.publish { $0.isDraining = true }
        admin.server?.publish(
            AdminEvent(.stopping, "the daemon stops: open connections may end, new ones are not taken"))
        let timeout = settings.daemon.drainTimeout
        logger.event(
            .daemonStopping,
            "stopping: \(Self.counted(loops.connections, "connection")) may take \(timeout.components.seconds) s to end",
            metadata: [
                "signal": .stringConvertible(signal), "connections": .stringConvertible(loops.connections),
                "drain-timeout-usec": .stringConvertible(timeout.wholeNanoseconds / 1000),
            ])
        service.send(.stopping)
        extendStop()
        drain(for: timeout)
    }

    /// From here on nobody new comes in, and what is open has some time to end.
    mutating func drain(for timeout: Duration) {
        deadlines.drain = .now() + timeout.wholeNanoseconds
        closeListeners()
        loops.send(.drain)
    }

    /// MPTCP listeners stay open for the subflows that join what they accepted. Where no other process accepts, and none will,
    /// clients are turned away.
    private mutating func closeListeners() {
        if !handedOver { removeSocketFiles() }
        var kept = UniqueArray<OpenListener>()
        while let listener = listeners.popLast() {
            guard listener.isMultipath else { continue }
            if door.unwanted.contains(DescriptorKeeping.name(listener.configured)) {
                retired.add(listener, poller, logger)
            } else {
                kept.append(listener)
            }
        }
        listeners = kept
    }

    private func removeSocketFiles() {
        for index in 0..<listeners.count {
            // What waits in the service manager's store listens on, at its path.
            if !Notification.isWanted { removeFile(of: listeners[index]) }
        }
    }

    func removeFile(of listener: borrowing OpenListener) {
        guard let path = listener.path else { return }
        do throws(Errno) {
            try UnixSocketFile.remove(path)
        } catch {
            logger.warning("cannot remove \(path): \(error)")
        }
    }

    private mutating func stallForTest() {
        #if DEBUG
            if ThisProcess.environment["BRAID_TEST_STALL_LOOP"] == "1" { loops.shared.first?.send(.stall) }
        #endif
    }

    // MARK: Reports

    private mutating func drainReports() {
        for loop in loops.shared { takeReports(loop.index) }
    }

    private mutating func takeReports(_ index: Int) {
        let loop = loops.shared[index]
        for report in loop.takeReports() { take(report, from: index) }
        noteLostRecords(loop.takeDropped())
    }

    /// Says that records were lost: on the way here, because this thread was too slow, or from here, because nobody read them.
    private mutating func noteLostRecords(_ dropped: UInt64) {
        let undelivered = destination.undelivered
        guard dropped > 0 || undelivered > knownUndelivered else { return }
        let lost = dropped + (undelivered - knownUndelivered)
        logger.event(
            .recordsDropped, "\(lost) log records were lost: they came faster than they could be written",
            metadata: ["records": .stringConvertible(dropped), "undelivered": .stringConvertible(undelivered)])
        // This very record may be lost too: then the next look says it again.
        if destination.undelivered == undelivered { knownUndelivered = undelivered }
    }

    private mutating func take(_ report: LoopReport, from loop: Int) {
        switch report {
        case .connectionEnded(let record):
            if record.result == .drained { connectionsReset += 1 }
            log.write(record)
            tell(record)
        case .connectionOpened(let opening): tell(opening)
        case .active: admin.server?.noteActivity()
        case .resolve(let relay, let upstream): upstreams.ask(relay: relay, upstream: upstream)
        case .memberFailed(_, let member, let error): upstreams.connectionFailed(member, error)
        case .memberConnected(_, let member): upstreams.connectionSucceeded(member)
        case .relayEmptied(let relay): relayEmptied(relay)
        case .resolveDestination(let request, let name, let port):
            destinations.ask(loop: loop, request: request, name: name, port: port)
        case .checkUser(let relay, let request, let client, let name, let password):
            users.check(
                UserQuestion(
                    loop: loop, relay: relay, request: request, client: client, name: name, password: password))
        case .connectionsChanged:
            paths.noteConnections()
            if deadlines.status == .never { deadlines.status = .now() + Self.statusInterval.wholeNanoseconds }
        case .drained:
            drained.insert(loop)
            if drained.count == loops.shared.count { finish() }
        case .failed(let call, let error):
            logger.critical("event loop \(loop) cannot go on: \(call): \(error)")
            failed = true
            finish()
        case .listed(let request, let connections, let isLast):
            admin.listed(request, connections, isLast: isLast)
        case .closeAnswered(let connection, let found): admin.closeAnswered(connection, found: found)
        case .subflowChanged(let change): tell(change)
        case .fellBack(let fallback): tell(fallback)
        case .subflowStalled(let stall):
            tell(stall)
            paths.take(stall, loops)
        case .connectionStalled(let stall): paths.take(stall, loops)
        case .pathQuality(let quality): paths.take(quality, loops)
        case .linksCounted: paths.linksCounted(loops)
        case .optionNotSet, .acceptBackoff, .acceptResumed, .limitReached, .listenerFailed, .multipathUnavailable:
            RelayNotices(logger: logger, relays: roster).write(report)
        }
    }

    mutating func finish() {
        finished = true
    }

    // MARK: Deadlines

    private mutating func meetDeadlines() {
        let now = MonotonicTime.now()
        if log.deadline <= now { log.meetDeadline(now) }
        if admin.pingDeadline <= now { admin.lookAtPings(loops) }
        if paths.deadline <= now { paths.meetDeadline(now, loops, poller) }
        if paths.guardDeadline <= now { paths.meetGuardDeadline(now, loops) }
        if paths.policyDeadline <= now { paths.meetPolicyDeadline(now, loops) }
        if paths.takeChange(), !draining { service.show(statusLine) }
        if deadlines.watchdog <= now { feedWatchdog(now) }
        if deadlines.status <= now {
            deadlines.status = .never
            for loop in loops.shared { loop.connectionsSeen() }
            service.show(statusLine)
        }
        if deadlines.extend <= now { extendStop() }
        if deadlines.drain <= now { drainTimedOut() }
    }

    /// Tells the watchdog that all is well only when every loop has answered since the last time.
    private mutating func feedWatchdog(_ now: MonotonicTime) {
        guard let watchdog else { return }
        deadlines.watchdog = now + watchdog.pingInterval.wholeNanoseconds
        switch heartbeats.look(at: loops.shared.map(\.heartbeats)) {
        case .ping:
            reportedStuck = false
            service.send(.watchdog)
        case .stuck(let indices):
            if !reportedStuck {
                reportedStuck = true
                for index in indices {
                    logger.event(
                        .loopStuck, "event loop \(index) makes no progress; the watchdog is not served",
                        metadata: [
                            "loop": .stringConvertible(index),
                            "watchdog-usec": .stringConvertible(watchdog.timeout.wholeNanoseconds / 1000),
                        ])
                }
            }
        }
        loops.send(.heartbeat)
    }

    private mutating func extendStop() {
        deadlines.extend = .now() + Self.extendInterval.wholeNanoseconds
        service.send(.extendTimeout(Self.extendInterval * 2), .status(statusLine))
    }

    private mutating func drainTimedOut() {
        deadlines.drain = .never
        let left = loops.connections
        logger.event(
            .drainTimeout, "the drain time is over: \(Self.counted(left, "connection")) reset",
            metadata: [
                "connections": .stringConvertible(left),
                "drain-timeout-usec": .stringConvertible(settings.daemon.drainTimeout.wholeNanoseconds / 1000),
            ])
        loops.send(.abort)
    }
}
