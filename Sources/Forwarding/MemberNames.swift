internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Upstreams that are given by name: the loop asks for their members when a connection wants one past its time.
extension EventLoop {
    /// Starts on an upstream over IP: at once when its addresses are known and good, else when they are.
    ///
    /// - Returns: false when it has failed already.
    mutating func beginNetwork(_ slot: UInt32, _ relay: Int, _ upstream: Int) -> Bool {
        let known = !memberAddresses(slot, relay).isEmpty
        if known, now < relays[relay].upstreams[upstream].expires {
            return race(slot, relay)
        }
        guard relays[relay].plan.upstreams[upstream].isName else {
            connections.slots[Int(slot)]?.dial.lastError = .noSuchAddressOrDevice
            return false
        }
        // It was asked for a moment ago, and there was none.
        if !known, now < relays[relay].upstreams[upstream].expires {
            connections.slots[Int(slot)]?.dial.lastError = .noSuchAddressOrDevice
            return false
        }
        if !relays[relay].upstreams[upstream].isPending {
            relays[relay].upstreams[upstream].isPending = true
            shared.report(.resolve(relay: relays[relay].plan.id, upstream: upstream), vital: true)
        }
        if known, relays[relay].upstreams[upstream].isLate { return race(slot, relay) }
        guard let token = connections.slots[Int(slot)]?.token(.client) else { return false }
        relays[relay].upstreams[upstream].waiting.append(token)
        connections.slots[Int(slot)]?.phase = .resolving
        // Old addresses are better than none, and a dead DNS server must not hold up what still works.
        let patience = known ? Tuning.staleAddressPatience : relays[relay].plan.connectTimeout
        timers.schedule(Int(slot), at: now + patience)
        return true
    }

    mutating func setMembers(relayID: Int, _ upstream: Int, _ members: [UpstreamMember]?, _ expires: MonotonicTime) {
        guard let relay = relayIndex(relayID), upstream < relays[relay].upstreams.count else { return }
        relays[relay].upstreams[upstream].isPending = false
        if let members {
            relays[relay].members.set(members, upstream: upstream)
            relays[relay].upstreams[upstream].isLate = false
        }
        relays[relay].upstreams[upstream].expires = expires
        let waiting = relays[relay].upstreams[upstream].waiting
        relays[relay].upstreams[upstream].waiting = []
        for token in waiting {
            let generation = EventTag(rawValue: token.tag).generation
            guard connections.holds(token.slot, generation: generation),
                connections.slots[Int(token.slot)]?.phase == .resolving,
                connections.slots[Int(token.slot)]?.dial.upstream == upstream
            else { continue }
            resolved(token.slot, relay)
        }
    }

    /// The wait for addresses is over, because they came or because it took too long.
    mutating func resolved(_ slot: UInt32, _ relay: Int) {
        connections.slots[Int(slot)]?.phase = .dialing
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0 else { return }
        if relays[relay].members.states[Int(position)].isRetired {
            // The name stands for others now.
            leaveMember(slot, relay)
            nextUpstream(slot)
        } else if relays[relay].members.states[Int(position)].member.addresses.isEmpty {
            connections.slots[Int(slot)]?.dial.lastError = .noSuchAddressOrDevice
            nextUpstream(slot)
        } else if !race(slot, relay) {
            nextUpstream(slot)
        }
    }
}
