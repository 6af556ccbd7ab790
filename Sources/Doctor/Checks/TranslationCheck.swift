internal import Configuration
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// Whether routers on the way translate this host's addresses (NAT), and whether that is in anybody's way.
enum TranslationCheck {
    static let name = "nat"

    static func examine(_ host: HostState) -> [Finding] {
        let uplinks = host.uplinks
        if uplinks.isEmpty { return [] }
        let announced = announcements(host)
        if !announced.isEmpty { return announced }
        let hidden = uplinks.compactMap { uplink in
            uplink.addresses.first(where: isTranslated).map { "\(uplink.name) (\($0.host))" }
        }
        if hidden.isEmpty { return [Finding(.pass, name, "none: every link has a public address")] }
        let list = hidden.joined(separator: ", ")
        guard let destination = host.destination else {
            return [
                Finding(
                    .pass, name,
                    "private: \(list), translated on the way to the Internet; it does no harm, for this end opens the subflows"
                )
            ]
        }
        if destination.isPrivate || destination.isLoopback {
            return [Finding(.pass, name, "\(list): private, and so is \(destination.host): nothing need translate")]
        }
        return [
            Finding(
                .pass, name,
                "\(list): translated on the way to \(destination.host); it does no harm, for this end opens the subflows"
            )
        ]
    }

    /// IPv6 has no translation worth the name; private addresses of it lead nowhere.
    private static func isTranslated(_ address: SocketAddress) -> Bool {
        address.family == .ipv4 && address.isPrivate
    }

    /// Nobody beyond a translation reaches a private address that is announced to him.
    private static func announcements(_ host: HostState) -> [Finding] {
        var findings: [Finding] = []
        for endpoint in host.paths?.endpoints ?? []
        where endpoint.flags.contains(.signal) && endpoint.address.isPrivate {
            let remove = "ip mptcp endpoint delete id \(endpoint.id)"
            let device = endpoint.interface == 0 ? "" : " dev \(host.name(of: endpoint.interface))"
            let again =
                endpoint.flags.contains(.subflow)
                ? " && ip mptcp endpoint add \(endpoint.address.host) id \(endpoint.id)\(device) subflow" : ""
            findings.append(
                Finding(
                    .warn, name,
                    "\(endpoint.address.host) is announced to peers, and is private: whoever is beyond a NAT cannot join to it",
                    [.command(remove + again), .advice("announce the public address that leads here")]))
        }
        for link in host.settings?.paths.links ?? [] where link.announce {
            guard case .address(let address) = link.target,
                let own = try? SocketAddress(parsing: "\(address)", port: 0), own.isPrivate
            else { continue }
            findings.append(
                Finding(
                    .warn, name,
                    "link \(link.name) announces \(address), which is private: whoever is beyond a NAT cannot join to it",
                    [.advice("\(link.locations["address"]): the public address that leads here")]))
        }
        return findings
    }
}
