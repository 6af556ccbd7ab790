public import LinuxSystem
public import MultipathTCP

/// Finds connections that lack a subflow over a link that is up, and decides which links to renew for their sake. It does no
/// I/O.
///
/// The kernel opens a subflow once: when the connection is established, or an endpoint is added. One that was lost, or never
/// came to be, stays away. Renewing the link's endpoints brings it back, but closes and opens the subflows of all other
/// connections there too: so it is done for what lacks twice in a row, and with a back-off for each peer over each link, for
/// some peers (or routers before them) never take a second subflow.
public struct SubflowAudit: Sendable {
    /// A link that every connection of a family should have a subflow over.
    public struct Place: Sendable, Hashable {
        /// The link's name.
        public var link: String
        /// The addresses of its endpoints, ports 0.
        public var addresses: [SocketAddress]
        /// Its endpoints were added a moment ago: renewing them disturbs nobody much.
        public var isFresh: Bool

        /// One of its parts.
        public init(link: String, addresses: [SocketAddress], isFresh: Bool) {
            self.link = link
            self.addresses = addresses
            self.isFresh = isFresh
        }
    }

    /// What to do.
    public struct Finding: Sendable, Hashable {
        /// Links to renew now.
        public var renew: [String] = []
        /// When to look again; `never` when nothing lacks.
        public var next = MonotonicTime.never
        /// Connections that were dialled from here, established and to another host.
        public var connections = 0
        /// Subflows that lack, over all links.
        public var missing = 0
    }

    /// A link that a peer's connections keep away from.
    public struct Avoided: Sendable, Hashable {
        /// The peer's address as bytes.
        public var peer: [UInt8]
        /// The link's name.
        public var link: String

        /// One of its parts.
        public init(peer: SocketAddress, link: String) {
            self.peer = peer.unmapped.bytes
            self.link = link
        }
    }

    private struct Gap: Hashable {
        var token: UInt32
        var link: String
    }

    private struct Reach: Hashable {
        /// The peer's address as bytes.
        var peer: [UInt8]
        var link: String
    }

    private struct Attempts {
        var count = 0
        var notBefore = MonotonicTime(nanoseconds: 0)
    }

    private var gaps: Set<Gap> = []
    private var attempts: [Reach: Attempts] = [:]

    /// How soon a second look confirms the first.
    static let confirmation: UInt64 = 300_000_000
    /// The longest pause between two attempts.
    static let longestPause: UInt64 = 600_000_000_000

    /// An audit that knows of nothing.
    public init() {}

    /// Looks at all connections of the host.
    ///
    /// - Parameters:
    ///   - subflows: `SocketDiagnostics.subflows()`.
    ///   - connections: `SocketDiagnostics.connections()`.
    ///   - dialled: the ports of upstreams: how a connection that has lost all its subflows is known to be dialled from here.
    ///   - places: the links that are up, with their endpoints' addresses.
    ///   - own: this host's addresses: connections to them need no second link.
    ///   - limit: subflows of a connection besides the first.
    ///   - avoided: where connections to a peer lack a subflow because they are better off without.
    ///   - now: the time.
    public mutating func examine(
        _ subflows: [DiagnosedSubflow], _ connections: [DiagnosedConnection], dialled: Set<UInt16>, places: [Place],
        own: Set<[UInt8]>, limit: Int, avoided: Set<Avoided> = [], now: MonotonicTime
    ) -> Finding {
        var finding = Finding()
        var found: Set<Gap> = []
        var lacking: [String: Set<Reach>] = [:]
        var lackCounts: [String: Int] = [:]
        var present: [String: Int] = [:]
        var pinned: Set<String> = []
        var isUndecided = false
        let byToken = Dictionary(grouping: subflows, by: \.token)
        for connection in connections {
            let token = connection.token
            let living = (byToken[token] ?? []).filter { $0.state == .established || $0.state == .synSent }
            if connection.state != .established {
                pinned.formUnion(Self.only(living, places))
                continue
            }
            let sample = living.first { $0.isEstablished && $0.isOpenedHere }
            let isBare = !living.contains { $0.state == .established } && dialled.contains(connection.remote.port)
            guard sample != nil || isBare else {
                // Nothing tells when a join, the last that a connection has, is through.
                if living.contains(where: \.isJoining) { isUndecided = true }
                continue
            }
            let peer = (sample?.remote ?? connection.remote).unmapped
            guard !peer.isLoopback, !own.contains(peer.bytes) else { continue }
            finding.connections += 1
            for place in places where place.addresses.contains(where: { $0.family == peer.family }) {
                let there = living.filter { subflow in
                    place.addresses.contains { $0.isSameHost(as: subflow.local.unmapped) }
                }
                if there.contains(where: { $0.state == .established }) { present[place.link, default: 0] += 1 }
                guard there.isEmpty, living.count <= limit,
                    !avoided.contains(Avoided(peer: peer, link: place.link))
                else { continue }
                let gap = Gap(token: token, link: place.link)
                found.insert(gap)
                guard gaps.contains(gap) else { continue }
                lacking[place.link, default: []].insert(Reach(peer: peer.bytes, link: place.link))
                lackCounts[place.link, default: 0] += 1
            }
        }
        finding.missing = found.count
        let unconfirmed = !found.isSubset(of: gaps)
        gaps = found
        attempts = attempts.filter { reach, tried in
            lacking[reach.link]?.contains(reach) == true || (tried.notBefore > now && unconfirmed)
        }
        if unconfirmed || isUndecided { finding.next = now + Self.confirmation }
        for place in places {
            guard let reaches = lacking[place.link] else { continue }
            let isCheap = place.isFresh || present[place.link, default: 0] <= lackCounts[place.link, default: 0]
            for reach in reaches where attempts[reach] == nil {
                attempts[reach] = Attempts(notBefore: isCheap ? now : now + 2_000_000_000)
            }
            let due = reaches.filter { attempts[$0].map { $0.notBefore <= now } ?? false }
            if !due.isEmpty, !pinned.contains(place.link) {
                finding.renew.append(place.link)
                for reach in due { noteAttempt(reach, now) }
            }
            let soonest = reaches.compactMap { attempts[$0]?.notBefore }.filter { $0 > now }.min()
            finding.next = min(finding.next, soonest ?? now + 5_000_000_000)
        }
        return finding
    }

    private mutating func noteAttempt(_ reach: Reach, _ now: MonotonicTime) {
        var tried = attempts[reach] ?? Attempts()
        tried.notBefore = now + min(1_000_000_000 << UInt64(min(tried.count, 10)), Self.longestPause)
        tried.count += 1
        attempts[reach] = tried
    }

    /// The link that all subflows of a connection are on; none when there are several.
    private static func only(_ subflows: [DiagnosedSubflow], _ places: [Place]) -> Set<String> {
        var links: Set<String> = []
        for subflow in subflows {
            let place = places.first { place in
                place.addresses.contains { $0.isSameHost(as: subflow.local.unmapped) }
            }
            guard let place else { return [] }
            links.insert(place.link)
        }
        return links.count == 1 ? links : []
    }
}

extension SocketAddress {
    /// Whether the address is the same, whatever port and scope.
    public func isSameHost(as other: SocketAddress) -> Bool {
        family == other.family && bytes == other.bytes
    }
}
