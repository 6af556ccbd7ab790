internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Which member of its relay's pool a connection goes to, and what the loop learns from it.
extension EventLoop {
    /// Chooses the next member and holds its place in the pool.
    ///
    /// - Returns: the index of its upstream in the plan; `nil` when every member has been tried.
    mutating func chooseMember(_ slot: UInt32, _ relay: Int) -> Int? {
        guard let client = connections.slots[Int(slot)]?.clientAddress,
            let tried = connections.slots[Int(slot)]?.dial.tried
        else { return nil }
        guard let position = relays[relay].members.choose(for: client, tried: tried, now: now) else {
            if tried.isEmpty {
                let isAnyResting = relays[relay].members.isAnyResting(now)
                connections.slots[Int(slot)]?.dial.lastError = isAnyResting ? .networkDown : .noSuchAddressOrDevice
            }
            return nil
        }
        relays[relay].members.enter(position)
        let upstream = relays[relay].members.states[position].member.upstream
        connections.slots[Int(slot)]?.begin(member: Int32(position), of: upstream)
        return upstream
    }

    /// The addresses of the member that a connection holds.
    mutating func memberAddresses(_ slot: UInt32, _ relay: Int) -> [SocketAddress] {
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0 else { return [] }
        return relays[relay].members.states[Int(position)].member.addresses
    }

    /// The member has failed the connection, which will not come back to it.
    mutating func giveUpMember(_ slot: UInt32, _ relay: Int) {
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0,
            let error = connections.slots[Int(slot)]?.dial.lastError
        else { return }
        connections.slots[Int(slot)]?.dial.tried.append(position)
        let upstream = Int(relays[relay].members.states[Int(position)].member.upstream)
        leaveMember(slot, relay)
        // Where a client wanted to go says nothing about the way there.
        if case .direct = relays[relay].plan.upstreams[upstream].kind { return }
        guard error.rawValue != 0, error.blamesPeer, relays[relay].members.failed(Int(position), now: now) else {
            return
        }
        let member = relays[relay].members.states[Int(position)].member.status.id
        tell(.memberFailed(relay: relays[relay].plan.id, member: member, error: error))
    }

    /// The member asks to be left alone for a while, by this connection and all others. That is no failure of its.
    mutating func leaveAlone(_ slot: UInt32, _ relay: Int, seconds: UInt64) {
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0 else { return }
        relays[relay].members.states[Int(position)].member.status.rest(until: now + seconds * 1_000_000_000)
        connections.slots[Int(slot)]?.dial.tried.append(position)
        leaveMember(slot, relay)
    }

    /// The connection is through.
    mutating func memberConnected(_ slot: UInt32, _ relay: Int) {
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0 else { return }
        connections.slots[Int(slot)]?.dial.tried = []
        guard relays[relay].members.connected(Int(position)) else { return }
        let member = relays[relay].members.states[Int(position)].member.status.id
        tell(.memberConnected(relay: relays[relay].plan.id, member: member))
    }

    /// Lets the place in the pool go.
    mutating func leaveMember(_ slot: UInt32, _ relay: Int) {
        guard let position = connections.slots[Int(slot)]?.dial.member, position >= 0 else { return }
        connections.slots[Int(slot)]?.dial.member = -1
        relays[relay].members.leave(Int(position))
    }
}

extension Connection {
    /// Turns the dial to a member.
    mutating func begin(member: Int32, of upstream: Int) {
        dial.cancelAll()
        dial.forgetStripped()
        dial.member = member
        dial.upstream = upstream
        dial.nextAddress = 0
        dial.nextAttempt = .never
    }
}

extension Errno {
    /// Whether a failed connect says anything about the peer: want of descriptors, ports or memory here does not.
    fileprivate var blamesPeer: Bool {
        switch self {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory, .addressNotAvailable: false
        default: true
        }
    }
}
