internal import Configuration
internal import LinuxSystem
internal import Paths

/// Which links there are.
enum LinksCheck {
    static let name = "links"

    static func examine(_ host: HostState) -> [Finding] {
        guard host.table != nil else {
            return [
                Finding(
                    .warn, name, "interfaces and routes cannot be read",
                    [.advice("allow AF_NETLINK sockets to this process (RestrictAddressFamilies= of its unit)")])
            ]
        }
        var findings: [Finding] = []
        let uplinks = host.uplinks
        for link in host.settings?.paths.links ?? [] {
            guard let problem = problem(of: link, host) else { continue }
            let place = link.locations["interface", "address"]
            var remedies: [Remedy] = [.advice(problem.remedy ?? "\(place): name one that ip -br address shows")]
            if let command = problem.command { remedies.insert(.command(command), at: 0) }
            findings.append(Finding(.warn, name, "link \(link.name): \(problem.found)", remedies))
        }
        let list = uplinks.map { describe($0) }.joined(separator: "; ")
        switch uplinks.count {
        case 0:
            findings.append(
                Finding(
                    .fail, name, "no interface has a global address and a default route",
                    [.advice("connect one: ip -br address and ip route show what there is")]))
        case 1:
            if host.dialsMultipath {
                findings.append(
                    Finding(
                        .warn, name, "only one: \(list); there is nothing to combine",
                        [.advice("connect a second link, or give a second interface its address and default route")]))
            } else {
                findings.append(Finding(.pass, name, "one: \(list)"))
            }
        case 9...:
            findings.append(
                Finding(
                    .warn, name, "\(uplinks.count): \(list); the kernel has 8 endpoints at most",
                    [.advice("name the eight to use as [[paths.link]]")]))
        default:
            findings.append(Finding(.pass, name, "\(uplinks.count): \(list)"))
        }
        return findings
    }

    private static func describe(_ uplink: Uplink) -> String {
        let title = uplink.name == uplink.interface.name ? uplink.name : "\(uplink.name) (\(uplink.interface.name))"
        let addresses = uplink.addresses.prefix(3).map {
            $0.isPrivate
                ? "\($0.host) (private: \($0.family == .ipv4 ? "behind NAT" : "not of the Internet"))" : $0.host
        }
        return "\(title) \(addresses.joined(separator: ", "))"
    }

    private static func problem(
        of link: LinkSettings, _ host: HostState
    ) -> (found: String, command: String?, remedy: String?)? {
        guard let table = host.table else { return nil }
        switch link.target {
        case .interface("*"): return nil
        case .interface(let name):
            guard let interface = table.interface(named: name) else {
                return ("there is no interface \(name)", nil, nil)
            }
            if !interface.isUp {
                return ("\(name) is switched off", "ip link set dev \(name) up", "see why it is off")
            }
            if !interface.isRunning { return ("\(name) has no carrier", nil, "plug it in, or connect it") }
            if !table.addresses(of: interface.index).contains(where: \.isUsable) {
                return (
                    "\(name) has no global address", nil,
                    "give it one: DHCP, or ip address add ADDRESS/LENGTH dev \(name)"
                )
            }
            return nil
        case .address(let address):
            if link.announce { return nil }
            let isHere = table.addresses.contains { $0.address.bytes == address.bytes }
            return isHere ? nil : ("no interface has the address \(address)", nil, nil)
        }
    }
}
