internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// Where a client wants to go: which addresses that is, and whether it may.
extension EventLoop {
    /// The client has chosen.
    mutating func choose(_ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ destination: Destination) {
        handshake.destination = destination
        note(slot, handshake)
        if relays[relay].plan.handshake.ignoresDestination { return dial(slot, handshake) }
        switch destination.host {
        case .address(let address):
            found(slot, relay, handshake, [SocketAddress(IPEndpoint(address.unmapped, port: destination.port))])
        case .name(let name):
            guard let token = connections.slots[Int(slot)]?.token(.client) else { return }
            handshake.step = .resolution
            if connections.slots[Int(slot)]?.client.interest != nil { watchClient(slot, []) }
            guard connections.slots[Int(slot)] != nil else { return }
            timers.schedule(Int(slot), at: now + relays[relay].plan.connectTimeout)
            shared.report(
                .resolveDestination(
                    request: UInt64(token.slot) << 32 | UInt64(token.tag), name: name, port: destination.port),
                vital: true)
        }
    }

    /// The main thread has looked the destination's name up; none: it leads nowhere.
    mutating func destinationResolved(_ request: UInt64, _ addresses: [SocketAddress]) {
        guard let slot = asker(request), let relay = connections.slots[Int(slot)]?.relay,
            let handshake = connections.slots[Int(slot)]?.handshake, handshake.step == .resolution
        else { return }
        if addresses.isEmpty { return fail(slot, handshake, .dial(.noRouteToHost)) }
        found(slot, relay, handshake, addresses)
    }

    /// Keeps the addresses that the client may reach, and dials.
    private mutating func found(
        _ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ addresses: [SocketAddress]
    ) {
        var name: String?
        if case .name(let asked) = handshake.destination?.host { name = asked }
        let policy = relays[relay].plan.handshake.destinations
        var denial: DestinationPolicy.Denial?
        for address in addresses {
            guard let endpoint = address.endpoint else { continue }
            if let reason = policy.denial(of: endpoint, name: name, everywhere: handshake.kind != .convert) {
                denial = reason
            } else {
                handshake.addresses.append(address.unmapped)
            }
        }
        if handshake.addresses.isEmpty { return fail(slot, handshake, .denied(denial ?? .rule)) }
        dial(slot, handshake)
    }

    /// What the connection's record will say of its handshake.
    mutating func note(_ slot: UInt32, _ handshake: Handshake, refusal: String? = nil) {
        let user = handshake.isUserChecked ? handshake.user.map { String(decoding: $0, as: UTF8.self) } : nil
        connections.slots[Int(slot)]?.notes = ConnectionNotes(
            destination: handshake.destination?.description, user: user, refusal: refusal)
    }
}
