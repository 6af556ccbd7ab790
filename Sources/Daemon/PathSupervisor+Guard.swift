internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import Paths
internal import ServiceManager

/// The guard: links that make connections slower than they are without them become backup.
extension PathSupervisor {
    /// A loop measured bulk connections.
    mutating func take(_ quality: PathQuality, _ loops: borrowing LoopThreads) {
        guard settings.guardsLinks, kernel != nil else { return }
        linkGuard.take(GuardSample(quality))
        takePeers(quality)
        logger.trace("paths measured", metadata: ["figures": "\(quality)"])
        let now = MonotonicTime.now()
        if runGuard(now) { apply(loops) }
        runPeerGuards(now)
        keepPeersAway(quality, now)
    }

    /// When `meetGuardDeadline` is to be called; `never` while nothing is tried.
    var guardDeadline: MonotonicTime { min(linkGuard.deadline, peerGuards.deadline) }

    mutating func meetGuardDeadline(_ now: MonotonicTime, _ loops: borrowing LoopThreads) {
        if runGuard(now) { apply(loops) }
        runPeerGuards(now)
    }

    /// Lets the guard decide about the links as they are now.
    ///
    /// - Returns: whether a link's role changed.
    @discardableResult
    mutating func runGuard(_ now: MonotonicTime) -> Bool {
        guard settings.guardsLinks, kernel != nil else { return false }
        let decisions = linkGuard.decide(links.filter(\.isGuarded).map(\.id), now: now)
        for decision in decisions { carryOut(decision) }
        return !decisions.isEmpty
    }

    private mutating func carryOut(_ decision: GuardDecision) {
        guard let index = links.firstIndex(where: { $0.id == decision.link }) else { return }
        let before = links[index]
        links[index].guardReason = decision.reason
        PathNotices(logger: logger).write(from: before, to: links[index], note: decision.note)
        if links[index].isBackup, !before.isBackup { leave(links[index]) }
    }

    /// Takes a link's subflows away before it comes back as backup: what waits on them goes over the others at once, where a
    /// subflow that merely turns backup would first deliver it, at its own pace (five seconds at 0.5 Mbit/s).
    ///
    /// A half-closed connection that has no subflow elsewhere could not open one again: then turning backup has to do.
    private mutating func leave(_ link: SupervisedLink) {
        guard !hasHalfClosed(on: [link.effective]) else { return }
        reconcile(applied.filter { $0.name != link.name })
    }
}

extension SupervisedLink {
    /// Whether the guard may decide about it: it would carry data if the guard let it.
    var isGuarded: Bool {
        isUsable && !status.configured.isAnnounced && requestedBackup == nil && !status.configured.isBackup
            && demotion == nil
    }
}

extension GuardSample {
    init(_ quality: PathQuality) {
        self.init(
            at: quality.at, span: quality.span, connections: quality.connections, delivered: quality.delivered,
            links: quality.links.map(Link.init))
    }

    /// One peer's part of it.
    init(_ quality: PathQuality, _ peer: PathQuality.PeerQuality) {
        self.init(
            at: quality.at, span: quality.span, connections: 1, delivered: peer.delivered,
            links: peer.links.map(Link.init))
    }
}

extension GuardSample.Link {
    fileprivate init(_ link: PathQuality.LinkQuality) {
        self.init(
            id: link.link, delivered: link.delivered, segments: link.segments, retransmits: link.retransmits,
            roundTrip: link.roundTrip, lossSlowsDown: link.lossSlowsDown, unacknowledged: link.unacknowledged,
            windowLimited: link.windowLimited * 1000)
    }
}
