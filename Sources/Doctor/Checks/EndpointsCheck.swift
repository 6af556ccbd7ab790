internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// Whether every link has an endpoint that works.
enum EndpointsCheck {
    static let name = "endpoints"

    static func examine(_ host: HostState) -> [Finding] {
        guard let table = host.table, let endpoints = host.paths?.endpoints else { return [] }
        let own = endpoints.filter { !$0.flags.contains(.implicit) }
        var findings: [Finding] = []
        for endpoint in own { findings += examine(endpoint, table, host) }
        findings += duplicates(own, table)
        let uplinks = host.uplinks
        if uplinks.count > 1 {
            if host.isManaged, own.isEmpty {
                return findings + [Finding(.pass, name, "none yet; braid run adds them (paths.manage)")]
            }
            findings += missing(own, uplinks, host)
        }
        if !findings.isEmpty { return findings }
        if own.isEmpty { return [Finding(.pass, name, "none, and one link needs none")] }
        let list = own.map { "\($0.address.host) \($0.flags) dev \(host.name(of: $0.interface))" }
        return [Finding(.pass, name, list.joined(separator: "; "))]
    }

    private static func examine(_ endpoint: PathEndpoint, _ table: LinkTable, _ host: HostState) -> [Finding] {
        let address = endpoint.address.host
        let removal = "ip mptcp endpoint delete id \(endpoint.id)"
        let holders = table.addresses.filter { $0.address.bytes == endpoint.address.bytes }
        guard let holder = holders.first(where: { $0.interface == endpoint.interface }) ?? holders.first else {
            // A router may translate an announced address to one of this host's.
            if endpoint.flags.contains(.signal), !endpoint.flags.contains(.subflow) { return [] }
            return [
                Finding(
                    .fail, name,
                    "endpoint \(endpoint.id) has the address \(address), which this host does not have (any more)",
                    [.command(removal)])
            ]
        }
        guard endpoint.flags.contains(.subflow) || endpoint.flags.contains(.fullmesh) else { return [] }
        let interface = host.name(of: holder.interface)
        let words = endpoint.flags.subtracting([.implicit, .laminar]).description
        let again = "\(removal) && ip mptcp endpoint add \(address) dev \(interface) id \(endpoint.id) \(words)"
        if endpoint.interface == 0 {
            if host.uplinks.count < 2 { return [] }
            return [
                Finding(
                    .fail, name,
                    "endpoint \(endpoint.id) (\(address)) names no interface: its subflows leave by the default route, not by "
                        + interface, [.command(again)])
            ]
        }
        if endpoint.interface != holder.interface {
            return [
                Finding(
                    .fail, name,
                    "endpoint \(endpoint.id) sends \(address) by \(host.name(of: endpoint.interface)), but \(interface) has that "
                        + "address", [.command(again)])
            ]
        }
        return []
    }

    private static func duplicates(_ endpoints: [PathEndpoint], _ table: LinkTable) -> [Finding] {
        var findings: [Finding] = []
        var seen: [PathEndpoint] = []
        for endpoint in endpoints where endpoint.interface != 0 && endpoint.flags.contains(.subflow) {
            let isHere = table.addresses.contains {
                $0.address.bytes == endpoint.address.bytes && $0.interface == endpoint.interface
            }
            let twin = seen.first {
                $0.interface == endpoint.interface && $0.address.family == endpoint.address.family
            }
            if isHere, let twin {
                findings.append(
                    Finding(
                        .warn, name,
                        "endpoints \(twin.id) (\(twin.address.host)) and \(endpoint.id) (\(endpoint.address.host)) are the same link: "
                            + "each connection opens two subflows on it",
                        [.command("ip mptcp endpoint delete id \(endpoint.id)")]))
            } else if isHere {
                seen.append(endpoint)
            }
        }
        return findings
    }

    private static func missing(
        _ endpoints: [PathEndpoint], _ uplinks: [Uplink], _ host: HostState
    ) -> [Finding] {
        // The family that endpoints are of; without any, the one that every link has.
        let used = Set(endpoints.map(\.address.family))
        let common = [SocketAddress.Family.ipv4, .ipv6].first { family in
            uplinks.allSatisfy { $0.addresses.contains { $0.family == family } }
        }
        var findings: [Finding] = []
        for uplink in uplinks {
            let has = endpoints.contains { endpoint in
                uplink.addresses.contains { $0.bytes == endpoint.address.bytes }
            }
            if has { continue }
            let families = used.isEmpty ? Set([common].compactMap { $0 }) : used
            let address =
                uplink.addresses.first { families.contains($0.family) } ?? uplink.addresses.first
            guard let address else { continue }
            findings.append(
                Finding(
                    .fail, name, "\(uplink.name) (\(address.host)) has no endpoint: no second subflow goes over it",
                    [
                        .command("ip mptcp endpoint add \(address.host) dev \(uplink.interface.name) subflow"),
                        .advice("to keep it: manage = true in [paths], then braid run adds them"),
                    ]))
        }
        if endpoints.count >= PathEndpoint.maximumCount, !findings.isEmpty {
            findings.append(
                Finding(
                    .warn, name, "all \(PathEndpoint.maximumCount) endpoints that the kernel has are taken",
                    [.advice("delete one that no link needs: ip mptcp endpoint show")]))
        }
        return findings
    }
}
