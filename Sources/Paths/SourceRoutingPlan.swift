public import LinuxSystem

/// The routing rules and routes that make packets leave by the link whose address they carry. It does no I/O.
///
/// For each address of a link there are three rules: what goes to the networks that other links are connected to is looked up
/// in the link's own table (else it would leave by those links); what any other route but a default one leads to goes as
/// ever, tunnels and containers among it; all the rest is looked up in the link's own table, which has the link's router.
public struct SourceRoutingPlan: Sendable, Hashable {
    /// A routing rule. ip-rule(8)
    public struct Rule: Sendable, Hashable {
        /// Packets from this address.
        public var source: SocketAddress
        /// Packets to this network only; `nil`: wherever to.
        public var destination: SocketAddress?
        /// How many bits the network has.
        public var destinationLength: UInt8 = 0
        /// Which table.
        public var table: UInt32
        /// Not its default routes.
        public var skipsDefault = false
        /// Lower comes first.
        public var priority: UInt32
    }

    /// A route of a link's own table. ip-route(8)
    public struct Route: Sendable, Hashable {
        /// `.ipv4` or `.ipv6`.
        public var family: SocketAddress.Family
        /// `nil` for a default route.
        public var destination: SocketAddress?
        /// How many bits the network has.
        public var destinationLength: UInt8 = 0
        /// The router; `nil` without one.
        public var gateway: SocketAddress?
        /// The interface's number.
        public var interface: UInt32
        /// Which table.
        public var table: UInt32
    }

    /// The rules.
    public var rules: Set<Rule> = []
    /// The routes.
    public var routes: Set<Route> = []

    /// Nothing.
    public init() {}

    /// Where Braid's tables and the priorities of its rules begin: between "local" (0) and "main" (32766).
    public static let base: UInt32 = 7100
    /// What Braid's rules and routes carry, so that they are told from others. `/etc/iproute2/rt_protos`
    public static let mark: UInt8 = 171
    private static let mainTable: UInt32 = 254

    /// The plan for some links.
    ///
    /// - Parameters:
    ///   - links: those that are up, with their numbers in this process.
    ///   - table: the interfaces' addresses and routers.
    public init(_ links: [(id: Int, status: LinkStatus)], in table: LinkTable) {
        for (id, link) in links where link.interface != 0 && !link.configured.isAnnounced {
            // Each link has a table of its own, however many have come and gone.
            let own = Self.base + UInt32(clamping: id)
            for address in link.addresses {
                guard let router = Self.router(of: link.interface, address.family, in: table) else { continue }
                let family = address.family
                routes.insert(Route(family: family, gateway: router.gateway, interface: link.interface, table: own))
                for connected in Self.networks(of: link.interface, family, in: table) {
                    routes.insert(
                        Route(
                            family: family, destination: connected.network, destinationLength: connected.length,
                            interface: link.interface, table: own))
                }
                for (_, other) in links where other.interface != link.interface && other.interface != 0 {
                    for connected in Self.networks(of: other.interface, family, in: table) {
                        rules.insert(
                            Rule(
                                source: address, destination: connected.network, destinationLength: connected.length,
                                table: own, priority: Self.base))
                    }
                }
                rules.insert(
                    Rule(source: address, table: Self.mainTable, skipsDefault: true, priority: Self.base + 1))
                rules.insert(Rule(source: address, table: own, priority: Self.base + 2))
            }
        }
    }

    private static func router(
        of interface: UInt32, _ family: SocketAddress.Family, in table: LinkTable
    ) -> DefaultRoute? {
        table.routes.filter { $0.interface == interface && $0.family == family }.min {
            ($0.table == mainTable ? 0 : 1, $0.metric) < ($1.table == mainTable ? 0 : 1, $1.metric)
        }
    }

    private static func networks(
        of interface: UInt32, _ family: SocketAddress.Family, in table: LinkTable
    ) -> [(network: SocketAddress, length: UInt8)] {
        table.addresses(of: interface).filter { $0.isUsable && $0.address.family == family }.compactMap { address in
            address.network.map { ($0, address.prefixLength) }
        }
    }
}

extension InterfaceAddress {
    /// The address of its network: its bits beyond the prefix are zero.
    var network: SocketAddress? {
        var bytes = address.bytes
        guard Int(prefixLength) <= bytes.count * 8 else { return nil }
        for index in bytes.indices {
            let kept = min(max(Int(prefixLength) - index * 8, 0), 8)
            bytes[index] &= UInt8(truncatingIfNeeded: 0xFF00 >> kept)
        }
        return SocketAddress(bytes: bytes.span, port: 0)
    }
}
