internal import Admin

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
}
