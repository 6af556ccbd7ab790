public import LinuxSystem

/// Links that are good for most peers and bad for one: the guard's second look.
///
/// The kernel's endpoints belong to the whole network namespace, but a subflow can be closed alone. So where a link's way to
/// one peer is far worse than its way to others, that peer's connections are tried without it, and keep away from it while
/// they are faster so. Everybody else goes on using it. With one peer only there is nothing to tell its way from the link
/// itself, and `LinkGuard` decides.
///
/// Pure, as `LinkGuard` is.
public struct PeerGuards: Sendable {
    /// What is to change for one peer's connections: to keep away from a link, or to use it again.
    public struct Decision: Sendable, Hashable {
        /// The peer's address, without port.
        public var peer: SocketAddress
        /// The link, and why.
        public var decision: GuardDecision
    }

    private struct Known: Sendable {
        var peer: SocketAddress
        // A trial opens the subflows of others anew as well: seldom is better than soon.
        var guarding = LinkGuard(givesSecondChances: false)
        var lastSample: MonotonicTime
        /// Since when its samples have come without a pause.
        var steadySince: MonotonicTime
    }

    private var known: [Known] = []

    /// Guards of nobody yet.
    public init() {}

    /// Takes what was measured of the connections to one peer.
    public mutating func take(_ sample: GuardSample, from peer: SocketAddress) {
        let index = place(of: peer, sample.at)
        if sample.at.since(known[index].lastSample) > GuardTuning.pause { known[index].steadySince = sample.at }
        known[index].lastSample = max(known[index].lastSample, sample.at)
        known[index].guarding.take(sample)
    }

    /// No connection is measured any more.
    public mutating func end(at time: MonotonicTime) {
        for index in known.indices {
            known[index].guarding.take(GuardSample(at: time, span: 0, connections: 0, delivered: 0, links: []))
        }
    }

    private mutating func place(of peer: SocketAddress, _ now: MonotonicTime) -> Int {
        if let index = known.firstIndex(where: { $0.peer == peer }) { return index }
        known.removeAll { now.since($0.lastSample) > Self.memory && $0.guarding.isIdle }
        if known.count >= Self.peersAtMost,
            let oldest = known.indices.min(by: { known[$0].lastSample < known[$1].lastSample })
        {
            known.remove(at: oldest)
        }
        known.append(Known(peer: peer, lastSample: now, steadySince: now))
        return known.count - 1
    }

    /// Decides what is to change now.
    ///
    /// - Parameters:
    ///   - links: the numbers of the links that may carry data, and are not backup.
    ///   - now: the time.
    public mutating func decide(_ links: [Int], now: MonotonicTime) -> [Decision] {
        var decisions: [Decision] = []
        for index in known.indices {
            let suspects = suspects(index, links, now)
            if suspects.isEmpty, known[index].guarding.isIdle { continue }
            for decision in known[index].guarding.decide(links, suspects: suspects, now: now) {
                decisions.append(Decision(peer: known[index].peer, decision: decision))
            }
        }
        return decisions
    }

    /// When `decide` is to be called although nothing was measured.
    public var deadline: MonotonicTime { known.reduce(.never) { min($0, $1.guarding.deadline) } }

    /// Why connections to a peer keep away from a link; `nil` when they do not.
    public func reason(for peer: SocketAddress, link: Int) -> GuardReason? {
        known.first { $0.peer == peer }?.guarding.reason(of: link)
    }

    /// The peers whose connections keep away from a link, and why.
    public func avoiding(_ link: Int) -> [(peer: SocketAddress, reason: GuardReason)] {
        known.compactMap { entry in entry.guarding.reason(of: link).map { (entry.peer, $0) } }
    }

    // MARK: Whose fault it is

    /// The links whose way to this peer is worse than their way to another one, which is measured at the same time.
    private func suspects(_ index: Int, _ links: [Int], _ now: MonotonicTime) -> Set<Int> {
        let own = known[index]
        guard isMeasured(own, now) else { return [] }
        let others = known.indices.filter { $0 != index && isMeasured(known[$0], now) }
        return Set(
            links.filter { link in
                guard let mine = own.guarding.standing(of: link) else { return false }
                return others.contains { other in
                    guard let theirs = known[other].guarding.standing(of: link) else { return false }
                    return mine.stretch > GuardTuning.unequalRoundTrip * theirs.stretch
                        || mine.loss > GuardTuning.someLoss + 2 * theirs.loss
                }
            })
    }

    private func isMeasured(_ entry: Known, _ now: MonotonicTime) -> Bool {
        now.since(entry.lastSample) < GuardTuning.pause
            && entry.lastSample.since(entry.steadySince) > GuardTuning.leastWatch
    }

    private static let peersAtMost = 32
    /// What is known of a peer that has moved nothing for so long is forgotten.
    private static let memory = GuardTuning.longestBackoff
}
