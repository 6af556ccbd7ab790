internal import Admin
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// What those who listen hear of subflows.
extension Supervisor {
    /// A connection has got a subflow, or lost one.
    func tell(_ change: SubflowChange) {
        guard let server = admin.server, server.wantsFrequentEvents else { return }
        let name = roster[change.relay]?.name ?? ""
        let link = link(of: change.local)?.name
        let verb = change.isOpened ? "got" : "lost"
        let place = link.map { " over \($0)" } ?? ""
        server.publish(
            AdminEvent(
                change.isOpened ? .subflowOpened : .subflowClosed,
                "\(name): connection \(change.connection) \(verb) a subflow\(place)",
                [
                    ("connection", .number(change.connection)), ("relay", .text(name)),
                    ("leg", .text(change.leg.rawValue)), ("local", .text(change.local.description)),
                    ("remote", .text(change.remote.description)), ("link", .text(link ?? "")),
                ]))
    }

    /// A connection is not multipath although it was to be.
    mutating func tell(_ fallback: FallbackNews) {
        guard let relay = roster[fallback.relay], news.takeTurn(fallbackOf: fallback.relay) else { return }
        let reason = fallback.reason?.description ?? "for a reason that is not known"
        let isKnown = relay.upstream.indices.contains(fallback.upstream)
        let upstream = isKnown ? relay.upstream[fallback.upstream].value.description : ""
        admin.server?.publish(
            AdminEvent(
                .fallback, "\(relay.name): connection \(fallback.connection) fell back to plain TCP: \(reason)",
                [
                    ("connection", .number(fallback.connection)), ("relay", .text(relay.name)),
                    ("client", .text(fallback.client.description)), ("upstream", .text(upstream)),
                    ("reason", .text(reason)),
                ]))
    }

    /// The link that has an address.
    func link(of address: SocketAddress) -> LinkSnapshot? {
        let local = address.unmapped.with(port: 0)
        return publishedLinks.first { $0.addresses.contains { $0.isSameHost(as: local) } }
    }
}
