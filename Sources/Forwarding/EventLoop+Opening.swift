internal import BasicContainers

extension EventLoop {
    /// A connection was connected: counts it, and tells those who listen.
    mutating func countOpening(_ slot: UInt32, _ relay: Int) {
        let relayID = relays[relay].plan.id
        guard let opening = connections.slots[Int(slot)]?.opening(relayID: relayID) else { return }
        RelayTally.connected(relays[relay].block, upstream: opening.upstream, after: opening.connectTime)
        if shared.areOpeningsWanted { tell(.connectionOpened(opening)) }
    }
}

extension Connection {
    fileprivate func opening(relayID: Int) -> ConnectionOpening {
        ConnectionOpening(
            id: id, relay: relayID, client: clientAddress, upstream: upstreamIndex, connectTime: connectTime)
    }
}
