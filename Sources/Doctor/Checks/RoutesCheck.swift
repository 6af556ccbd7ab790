internal import Configuration
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// Whether each link is used by what is sent from its addresses.
enum RoutesCheck {
    static let name = "routes"

    static func examine(_ host: HostState) -> [Finding] {
        let uplinks = host.uplinks
        guard host.table != nil, !uplinks.isEmpty else { return [] }
        if uplinks.count == 1 { return [Finding(.pass, name, "one link, and it has a default route")] }
        if host.settings?.paths.routing == true {
            return [Finding(.pass, name, "braid run keeps a rule and a table for each link (paths.routing)")]
        }
        var findings: [Finding] = []
        var table = freeTable(host)
        for uplink in uplinks {
            let addresses = host.routedAddresses(of: uplink)
            for address in addresses.filter({ isWanted($0, host) }) {
                guard let finding = examine(address, of: uplink, table, host) else { continue }
                findings.append(finding)
                table += 1
            }
        }
        if !findings.isEmpty { return findings }
        return [Finding(.pass, name, "each of \(uplinks.count) links carries what is sent from its addresses")]
    }

    /// Families that no endpoint has are not looked at when others have one.
    private static func isWanted(_ address: SocketAddress, _ host: HostState) -> Bool {
        let families = Set((host.paths?.endpoints ?? []).map(\.address.family))
        return families.isEmpty || families.contains(address.family)
    }

    private static func examine(
        _ address: SocketAddress, of uplink: Uplink, _ table: Int, _ host: HostState
    ) -> Finding? {
        let way = host.ways[address] ?? HostState.Way()
        let interface = uplink.interface
        if way.bySource?.interface == interface.index { return nil }
        let ip = address.family == .ipv6 ? "ip -6" : "ip"
        // Told which interface, the kernel takes everything to be on that link when it has no route by it.
        let hasRoute = way.byInterface?.gateway != nil || uplink.families.contains(address.family)
        let known = way.byInterface?.interface == interface.index && hasRoute
        let gateway: String
        if known {
            gateway = way.byInterface?.gateway.map { "via \($0.host) " } ?? ""
        } else {
            // IPv6 routers are known by their link-local addresses.
            let neighbours = (host.gateways[interface.index] ?? []).filter { $0.family == address.family }
            let local = neighbours.filter { address.family == .ipv6 && $0.isLinkLocal }
            let guesses = local.isEmpty ? neighbours : local
            gateway = guesses.count == 1 ? "via \(guesses[0].host) " : "via GATEWAY "
        }
        let route = "default \(gateway)dev \(interface.name)"
        let rule = "\(ip) rule add from \(address.host) table \(table) priority \(table)"
        var commands = "\(ip) route replace \(route) table \(table) && \(rule)"
        if !known {
            commands = "\(ip) route add \(route) metric \(table) && " + commands
        }
        var remedies: [Remedy] = [.command(commands)]
        if gateway.contains("GATEWAY") {
            remedies.append(.advice("GATEWAY is the link's router: what its DHCP lease or its provider says"))
        }
        remedies.append(
            .advice(
                "to keep it: the same in the network configuration (systemd.network RoutingPolicyRule=), or routing = true in [paths]"
            ))
        let elsewhere = way.bySource.map { "leave by \(host.name(of: $0.interface))" } ?? "have no way"
        if known {
            return Finding(
                .warn, name,
                "no rule for \(address.host): packets of connections dialled from \(uplink.name) \(elsewhere); only endpoints with dev use it",
                remedies)
        }
        return Finding(
            .fail, name,
            "\(uplink.name) has no default route for \(address.host), whose packets \(elsewhere): the link carries nothing",
            remedies)
    }

    /// The first number that no default route's table has, to be used as table, priority and metric.
    private static func freeTable(_ host: HostState) -> Int {
        let taken = (host.table?.routes ?? []).map { Int($0.table) } + (host.table?.routes ?? []).map { Int($0.metric) }
        return (taken.filter { (1000..<1100).contains($0) }.max() ?? 1000) + 1
    }
}
