internal import BasicContainers
internal import CLinux
internal import LinuxSystem

/// How relays and listeners are exchanged while connections go on: those that are open keep the relay that they began with.
extension EventLoop {
    // MARK: Relays

    mutating func addRelay(_ plan: RelayPlan) {
        guard relayIndex(plan.id) == nil else { return }
        let block = shared.counters.block(relay: plan.counters ?? plan.id, upstreams: plan.upstreams.count)
        let state = RelayState(plan: plan, block: block)
        for index in 0..<relays.count where relays[index].isRetired && relays[index].holders == 0 {
            relays[index] = state
            return
        }
        relays.append(state)
    }

    /// Takes nobody in for a relay any more; `LoopReport.relayEmptied` follows when its last connection has ended. What it
    /// counts from here on goes to its heir.
    mutating func retireRelay(_ id: Int, heir: Int?) {
        guard let index = relayIndex(id) else { return }
        relays[index].isRetired = true
        relays[index].heir = heir
        relays[index].dirty = true
        inherit()
        reportIfEmptied(index)
    }

    /// A connection of a relay has ended.
    mutating func letGo(_ relay: Int) {
        relays[relay].holders -= 1
        if relays[relay].isRetired { reportIfEmptied(relay) }
    }

    private mutating func reportIfEmptied(_ index: Int) {
        guard relays[index].holders == 0 else { return }
        inherit()
        shared.report(.relayEmptied(relay: relays[index].plan.id), vital: true)
    }

    /// Hands what retired relays have counted to those that count for them now.
    mutating func inherit() {
        for index in 0..<relays.count where relays[index].isRetired && relays[index].dirty {
            guard let id = relays[index].heir, let heir = relayIndex(id) else { continue }
            let counted = relays[index].counters
            relays[index].counters = RelayCounters()
            relays[index].dirty = false
            relays[heir].counters.add(counted)
            relays[heir].dirty = true
            // The heir of an heir has the index of an older one, perhaps, and that has been passed already.
            if relays[heir].isRetired, heir < index { return inherit() }
        }
    }

    // MARK: Listeners

    /// Puts a listener into a free place.
    mutating func place(_ listener: consuming ListenerState) -> Int {
        for index in 0..<listeners.count where listeners[index] == nil {
            listeners[index] = consume listener
            return index
        }
        listeners.append(consume listener)
        return listeners.count - 1
    }

    /// Whoever comes by a listener from now on belongs to another relay.
    mutating func moveListener(_ id: Int, relayID: Int) {
        guard let index = listenerIndex(id), let relay = relayIndex(relayID) else { return }
        listeners[index]?.relay = relay
        if listeners[index]?.isFull == true {
            listeners[index]?.isFull = false
            watch(index)
        }
    }

    /// Takes in who waits, and then nobody more.
    mutating func removeListener(_ id: Int) {
        guard let index = listenerIndex(id) else { return }
        listeners[index]?.acceptAll()
        accept(index)
        unwatch(index)
        listeners[index] = nil
    }

    private mutating func listenerIndex(_ id: Int) -> Int? {
        for index in 0..<listeners.count where isListener(index, id) { return index }
        return nil
    }

    private mutating func isListener(_ index: Int, _ id: Int) -> Bool {
        listeners[index]?.id == id
    }
}
