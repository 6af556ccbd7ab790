internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// What the loop does when it is told to.
extension EventLoop {
    mutating func obey() {
        for command in shared.takeCommands() {
            switch command {
            case .addRelay(let plan): addRelay(plan)
            case .retireRelay(let relay, let heir): retireRelay(relay, heir: heir)
            case .addListener(let id, let relay, let kind, let descriptor, let isShared):
                addListener(id, relayID: relay, kind, Descriptor(owning: descriptor), isShared: isShared)
            case .moveListener(let id, let relay): moveListener(id, relayID: relay)
            case .removeListener(let id): removeListener(id)
            case .setMembers(let relay, let upstream, let members, let expires):
                setMembers(relayID: relay, upstream, members, expires)
            case .destinationResolved(let request, let addresses): destinationResolved(request, addresses)
            case .userChecked(let request, let verdict): userChecked(request, verdict)
            case .bandwidthPromised(let request, let isUp, let at): bandwidthPromised(request, isUp: isUp, at: at)
            case .setLinks(let links):
                ranking.set(links)
                accounts.set(links, shared.counters)
                watchLastLink(links)
            case .tellOfLinks(let wanted): tellsOfLinks = wanted
            case .probeSilence: watch.probesSilence = true
            case .observeSubflows(let wanted): observer.set(wanted, now: now)
            case .lookAtSubflows(let tokens): observer.ask(tokens)
            case .watchStalls(let timeout):
                watch.findsStalls = true
                watch.rule.timeout = timeout
            case .limitQueues(let largest, let settable):
                quality.queues.begin(largest: UInt64(max(0, largest)), settable: UInt64(max(0, settable)))
            case .list(let request): listings.append(Listing(request: request))
            case .close(let connection): close(connection)
            case .drain: drain()
            case .abort: resetAll(.drained)
            case .resumeAccepting: resumeAccepting()
            case .heartbeat: shared.beat()
            case .stop:
                resetAll(.drained)
                stopped = true
            case .stall:
                while true { sleepForever() }
            }
        }
    }

    /// The loop's index of a relay; `nil` when it was never told of it.
    func relayIndex(_ id: Int) -> Int? {
        for index in 0..<relays.count where relays[index].plan.id == id { return index }
        return nil
    }

    private mutating func drain() {
        draining = true
        for index in 0..<listeners.count {
            unwatch(index)
            // An MPTCP listener stays open: subflows that join the connections it accepted need it.
            if listeners[index]?.isMultipath == false { listeners[index] = nil }
        }
        reportIfDrained()
    }

    private mutating func resetAll(_ result: ConnectionResult) {
        for slot in 1..<max(1, connections.capacity) where connections.slots[slot] != nil {
            finish(UInt32(slot), Connection.End(result: result, reset: true))
        }
        reportIfDrained()
    }

    private mutating func close(_ id: UInt64) {
        for slot in 1..<max(1, connections.capacity) where connections.slots[slot]?.id == id {
            finish(UInt32(slot), Connection.End(result: .closedByOperator, reset: true))
            shared.report(.closeAnswered(connection: id, found: true), vital: true)
            return
        }
        shared.report(.closeAnswered(connection: id, found: false), vital: true)
    }

    private func sleepForever() {
        var poller = try? Poller(capacity: 1)
        _ = try? poller?.wait(milliseconds: -1)
    }
}
