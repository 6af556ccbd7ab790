internal import Admin
internal import Configuration
internal import Forwarding

/// What the admin interface is told of the pools of upstreams.
extension Supervisor {
    /// Makes changes known; what members are like (health, connections) is read from them directly.
    mutating func publishPools() {
        guard let changes = upstreams.takeChanges() else { return }
        if changes.members { publishRelays() }
        for change in changes.health {
            admin.server?.publish(
                AdminEvent(
                    change.isHealthy ? .upstreamUp : .upstreamDown, change.text,
                    [
                        ("relay", .text(change.relay)), ("upstream", .text(change.address)),
                        ("healthy", .flag(change.isHealthy)), ("reason", .text(change.reason)),
                    ]))
        }
    }

    /// Somebody takes an upstream out for maintenance, or back.
    mutating func changeUpstream(_ name: String, _ change: UpstreamChange) -> UpstreamAnswer {
        guard let relay = roster.id(named: name) else {
            return .unknownRelay(names: roster.current.compactMap { roster[$0]?.name })
        }
        let found = upstreams.setDraining(change.draining, relay: relay, address: change.address)
        let views = upstreams.views(relay: relay)
        guard found, let member = views.first(where: { $0.address == change.address }) else {
            return .unknownUpstream(addresses: views.map(\.address))
        }
        return .changed(UpstreamView(member))
    }
}

extension UpstreamView {
    init(_ member: PoolView) {
        self.init(
            address: member.address, healthy: member.status.isWell,
            connections: UInt64(clamping: member.status.connections), draining: member.status.isDraining)
    }
}
