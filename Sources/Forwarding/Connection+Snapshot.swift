internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP

extension Connection {
    /// What the connection is now.
    func snapshot(_ relays: borrowing UniqueArray<RelayState>, _ gathering: inout Gathering) -> ConnectionSnapshot {
        var subflows: [SubflowSnapshot] = []
        if client.isMultipathSocket { gathering.subflows(of: client.raw, leg: .client, into: &subflows) }
        if upstream.isMultipathSocket { gathering.subflows(of: upstream.raw, leg: .upstream, into: &subflows) }
        return ConnectionSnapshot(
            id: id, relay: relays[relay].plan.id, client: clientAddress, upstream: upstreamIndex,
            upstreamAddress: upstreamAddress, destination: notes?.destination, state: state, opened: opened,
            bytesUp: up.moved,
            bytesDown: isEcho ? up.moved : down.moved, multipath: outcomeNow,
            notMultipathReason: notMultipathReason, subflows: subflows)
    }

    private var state: ConnectionSnapshot.State {
        switch phase {
        case .handshake: .handshake
        case .resolving: .resolving
        case .dialing: .dialing
        case .relaying: isHalfClosed ? .halfClosed : .relaying
        }
    }

    /// As it is now, not as it was when it was sampled last.
    private var outcomeNow: MultipathOutcome {
        if phase != .relaying || multipathUnavailable { return outcome }
        var now = MultipathOutcome.no
        if client.isMultipathSocket { now = MultipathState.of(client.raw) == .multipath ? .yes : .fallback }
        if now != .fallback, upstream.isMultipathSocket {
            now = MultipathState.of(upstream.raw) == .multipath ? .yes : .fallback
        }
        return now
    }
}
