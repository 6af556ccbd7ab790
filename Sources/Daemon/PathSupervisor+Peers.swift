internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths

/// Links that are bad for single peers: their connections' subflows are closed there, and stay so, while everybody else's
/// endpoints and subflows are left as they are.
extension PathSupervisor {
    /// New connections to such a peer get a subflow there like all others: how soon after a look it is looked again.
    private static let keepInterval: UInt64 = 500_000_000

    mutating func takePeers(_ quality: PathQuality) {
        if quality.connections == 0 { peerGuards.end(at: quality.at) }
        for peer in quality.peers { peerGuards.take(GuardSample(quality, peer), from: peer.remote) }
    }

    mutating func runPeerGuards(_ now: MonotonicTime) {
        guard settings.guardsLinks, kernel != nil, diagnostics != nil else { return }
        let usable = links.filter { $0.isGuarded && $0.guardReason == nil }.map(\.id)
        for decision in peerGuards.decide(usable, now: now) { carryOut(decision) }
    }

    private mutating func carryOut(_ decision: PeerGuards.Decision) {
        guard let index = links.firstIndex(where: { $0.id == decision.decision.link }) else { return }
        note(index)
        PathNotices(logger: logger).write(decision, link: links[index])
        if decision.decision.reason != nil {
            closeSubflows(on: links[index], to: [decision.peer])
        } else {
            // The kernel opens a subflow for one connection only when it does for all.
            renew(links[index].effective)
        }
    }

    /// What people are told of the link.
    private mutating func note(_ index: Int) {
        links[index].avoidedBy = peerGuards.avoiding(links[index].id).map { "\($0.peer.host): \($0.reason)" }
    }

    /// Closes what new connections, and endpoints that were renewed for others, have opened meanwhile.
    mutating func keepPeersAway(_ quality: PathQuality, _ now: MonotonicTime) {
        guard now.since(peersKept) >= Self.keepInterval else { return }
        for link in links {
            let back = quality.peers.filter { peer in
                peerGuards.reason(for: peer.remote, link: link.id) != nil
                    && peer.links.contains { $0.link == link.id && $0.delivered > 0 }
            }
            guard !back.isEmpty else { continue }
            peersKept = now
            closeSubflows(on: link, to: back.map(\.remote))
        }
    }

    /// Closes the subflows over a link to some peers, of connections that have another one, and could open it again: those
    /// that are half-closed could not.
    private mutating func closeSubflows(on link: SupervisedLink, to peers: [SocketAddress]) {
        do throws(PathManagerError) {
            guard let subflows = try diagnostics?.subflows(), let connections = try diagnostics?.connections() else {
                return
            }
            let open = Set(connections.filter { $0.state == .established }.map(\.token))
            let alive = subflows.filter { $0.isEstablished && $0.state == .established && open.contains($0.token) }
            let elsewhere = Set(alive.filter { !link.has($0.local) }.map(\.token))
            for subflow in alive where link.has(subflow.local) && elsewhere.contains(subflow.token) {
                let remote = subflow.remote.unmapped
                guard peers.contains(where: { $0.isSameHost(as: remote) }) else { continue }
                try closeIfThere(subflow)
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "closing subflows to one peer")
        }
    }

    /// Where the audit is not to miss a subflow.
    var avoided: Set<SubflowAudit.Avoided> {
        Set(
            links.flatMap { link in
                peerGuards.avoiding(link.id).map { SubflowAudit.Avoided(peer: $0.peer, link: link.name) }
            })
    }
}
