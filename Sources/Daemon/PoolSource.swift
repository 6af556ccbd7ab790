internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Upstreams

/// One upstream of the configuration, and what it stands for.
struct PoolSource {
    /// Where its members come from.
    enum Origin {
        /// It is its one member.
        case fixed
        case name(HostPort, String)
        case service(String)
    }

    /// An SRV answer whose hosts' addresses are being looked up.
    struct ServiceLookup {
        var records: [ServiceRecord]
        var addresses: [[SocketAddress]]
        var missing: Int
        var lifetime: Duration
    }

    let relay: Int
    let upstream: Int
    let address: UpstreamAddress
    let origin: Origin
    /// Each address of a name is a member of its own: with any balance but failover, where the upstream is one place whose
    /// addresses are raced.
    let isSpread: Bool
    /// How many tiers up its members begin: failover goes by the order of the upstreams.
    let tier: Int
    var isPending = false
    var isFailing = false
    var lookup: ServiceLookup?
    var expires = MonotonicTime(nanoseconds: 0)
    /// Its members' ids.
    var members: [Int] = []

    init(_ address: UpstreamAddress, upstream: Int, relay: Int, balance: RelaySettings.Balance) {
        self.relay = relay
        self.upstream = upstream
        self.address = address
        isSpread = balance != .failover
        tier = balance == .failover ? upstream << 16 : 0
        switch address {
        case .mptcpService(let name): origin = .service(name)
        case .tcp(let target), .mptcp(let target), .convert(let target):
            origin = target.dnsName.map { .name(target, $0) } ?? .fixed
        default: origin = .fixed
        }
    }

    /// The name to look up, for the log.
    var name: String {
        switch origin {
        case .fixed: address.description
        case .name(_, let host): host
        case .service(let name): name
        }
    }

    var isName: Bool { if case .fixed = origin { false } else { true } }

    /// The one member that the upstream itself is.
    func itself(_ addresses: [SocketAddress]) -> MemberCandidate {
        let text = address.description
        return MemberCandidate(key: text, text: text, addresses: addresses, tier: tier, weight: 1)
    }

    /// The members that the addresses of its name are.
    func candidates(_ addresses: [SocketAddress]) -> [MemberCandidate] {
        guard isSpread else { return [itself(addresses)] }
        let scheme =
            switch address {
            case .convert: "convert"
            default: address.isMultipath ? "mptcp" : "tcp"
            }
        return addresses.map { address in
            MemberCandidate(
                key: address.description, text: "\(scheme)://\(address)", addresses: [address], tier: tier, weight: 1)
        }
    }

    /// The members that the hosts of its service are: a tier for each priority. RFC 2782.
    func candidates(_ lookup: ServiceLookup) -> [MemberCandidate] {
        let priorities = Set(lookup.records.map(\.priority)).sorted()
        return lookup.records.indices.compactMap { index in
            let record = lookup.records[index]
            guard !lookup.addresses[index].isEmpty else { return nil }
            let peers = lookup.records.filter { $0.priority == record.priority }
            // All of weight 0 says that there is nothing to choose by, not that nobody is to be taken.
            let weight = peers.allSatisfy { $0.weight == 0 } ? 1 : Int(record.weight)
            let place = "\(record.target):\(record.port)"
            return MemberCandidate(
                key: place, text: "mptcp://\(place)", addresses: lookup.addresses[index],
                tier: tier + (priorities.firstIndex(of: record.priority) ?? 0), weight: weight)
        }
    }
}
