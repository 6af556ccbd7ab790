internal import Configuration
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import SystemPackage

/// What happens to subflows, and those that are lost.
extension PathSupervisor {
    /// Listens to what matters now: to subflows that end, and while a link is tried to those that join.
    mutating func listen() {
        var wanted: PathEvents.Kinds = .subflowClosed
        if links.contains(where: { $0.stall != nil }) { wanted.insert(.subflowEstablished) }
        guard wanted != eventKinds, kernel != nil else { return }
        do throws(Errno) {
            try kernel?.events?.limit(to: wanted)
            eventKinds = wanted
        } catch {
            // Without a filter there are only more events than needed.
            eventKinds = wanted
            logger.debug("path events cannot be filtered: \(error)")
        }
    }

    /// Events wait.
    mutating func receiveEvents(_ loops: borrowing LoopThreads) {
        while true {
            do throws(NetlinkError) {
                guard let events = try kernel?.events?.receive(), !events.isEmpty else { return }
                for event in events {
                    switch event {
                    case .subflowEstablished(let subflow): noteJoined(from: subflow.local, loops)
                    case .subflowClosed(let subflow): noteClosed(subflow)
                    default: break
                    }
                }
            } catch {
                switch error {
                // What was missed is found by looking.
                case .overrun, .syntax: scheduleAudit(after: 100_000_000)
                default: return eventsFailed(error)
                }
            }
        }
    }

    private mutating func noteClosed(_ subflow: PathEvent.Subflow) {
        guard links.contains(where: { $0.isUsable && $0.has(subflow.local) }) else { return }
        // Its endpoint may have been taken away.
        upkeep.suspect(.now())
        scheduleAudit(after: 300_000_000)
    }

    // MARK: Time

    /// When `meetDeadline` is to be called; `never` while all is well.
    var deadline: MonotonicTime {
        links.reduce(min(nextAudit, min(upkeep.next, reopening.next))) { min($0, $1.stall?.next ?? .never) }
    }

    mutating func meetDeadline(_ now: MonotonicTime, _ loops: borrowing LoopThreads, _ poller: borrowing Poller) {
        if reopening.next <= now { reopen(now, loops, poller) }
        tryStalledLinks(now, loops)
        if upkeep.next <= now { checkEndpoints(now) }
        if nextAudit <= now { examine(now) }
    }

    // MARK: The audit

    mutating func scheduleAudit(after nanoseconds: UInt64) {
        guard kernel != nil else { return }
        nextAudit = min(nextAudit, MonotonicTime.now() + nanoseconds)
    }

    /// Looks for connections without a subflow over a link that is up, and renews links for them.
    private mutating func examine(_ now: MonotonicTime) {
        nextAudit = .never
        let places = links.filter { $0.isUsable && !$0.status.configured.isAnnounced }.map { link in
            SubflowAudit.Place(
                link: link.name, addresses: link.status.addresses,
                isFresh: addedAt[link.name].map { now.since($0) < 3_000_000_000 } ?? false)
        }
        let own = Set((monitor?.table.addresses ?? []).map(\.address.bytes))
        do throws(PathManagerError) {
            guard let subflows = try diagnostics?.subflows(), let connections = try diagnostics?.connections() else {
                return
            }
            let finding = audit.examine(
                subflows, connections, dialled: dialledPorts, places: places, own: own, limit: settings.maxSubflows,
                avoided: avoided, now: now)
            nextAudit = finding.next
            for name in finding.renew {
                guard let link = links.first(where: { $0.name == name && $0.isUsable }) else { continue }
                renew(link.effective)
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "looking for lost subflows")
        }
    }
}
