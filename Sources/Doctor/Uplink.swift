internal import Configuration
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// A link as doctor sees it: an interface by which connections are to go.
struct Uplink: Sendable, Hashable {
    /// The configured name, or the interface's.
    var name: String
    /// The interface.
    var interface: NetworkInterface
    /// Its usable addresses.
    var addresses: [SocketAddress]
    /// Whether it has a default route of a family, in whatever table.
    var families: Set<SocketAddress.Family>
}

extension HostState {
    /// The links: those of the configuration, or else every interface with a global address and either a default route or an
    /// endpoint.
    var uplinks: [Uplink] {
        guard let table else { return [] }
        let configured = settings?.paths.links ?? []
        var named: [(NetworkInterface, String)] = []
        for link in configured {
            switch link.target {
            case .interface("*"): break
            case .interface(let name):
                if let interface = table.interface(named: name) { named.append((interface, link.name)) }
            case .address(let address):
                let holder = table.addresses.first { $0.address.bytes == address.bytes }
                if let interface = holder.flatMap({ table.interfaces[$0.interface] }) {
                    named.append((interface, link.name))
                }
            }
        }
        let takesAll = configured.isEmpty || configured.contains { $0.target == .interface("*") }
        if takesAll {
            for interface in table.interfaces.values.sorted(by: { $0.index < $1.index })
            where looksLikeUplink(interface, table) && !named.contains(where: { $0.0 == interface }) {
                named.append((interface, interface.name))
            }
        }
        return named.compactMap { interface, name in
            let addresses = table.addresses(of: interface.index).filter(\.isUsable).map(\.address)
            guard interface.isUsable, !addresses.isEmpty else { return nil }
            let families = Set(
                [SocketAddress.Family.ipv4, .ipv6].filter { table.hasDefaultRoute(interface.index, $0) })
            return Uplink(name: name, interface: interface, addresses: addresses, families: families)
        }
    }

    private func looksLikeUplink(_ interface: NetworkInterface, _ table: LinkTable) -> Bool {
        let excluded = settings?.paths.exclude ?? PathSettings.defaultExclude
        guard !interface.isLoopback, !excluded.contains(where: { matches($0, interface.name) }) else { return false }
        if table.routes.contains(where: { $0.interface == interface.index }) { return true }
        let addresses = table.addresses.filter { $0.interface == interface.index }.map(\.address)
        return paths?.endpoints.contains { endpoint in
            endpoint.interface == interface.index
                || addresses.contains { $0.bytes == endpoint.address.bytes }
        } ?? false
    }

    /// Shell patterns, of which configurations only use `*` at the end (fnmatch(3) knows more).
    private func matches(_ pattern: String, _ name: String) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return pattern == name }
        return name.hasPrefix(pattern[..<star]) && name.hasSuffix(pattern[pattern.index(after: star)...])
    }

    /// The addresses of a link that count: those of the families that most of the host's default routes are of.
    ///
    /// A family without any default route leads nowhere; it is not looked at.
    func routedAddresses(of uplink: Uplink) -> [SocketAddress] {
        let families = Set(uplinks.flatMap(\.families))
        return uplink.addresses.filter { families.contains($0.family) }
    }
}

extension SocketAddress {
    /// Whether it is one that routers translate (RFC 1918, RFC 6598, RFC 4193).
    var isPrivate: Bool {
        let bytes = self.bytes
        switch family {
        case .ipv4:
            return bytes[0] == 10 || (bytes[0] == 172 && bytes[1] & 0xF0 == 16) || (bytes[0] == 192 && bytes[1] == 168)
                || (bytes[0] == 100 && bytes[1] & 0xC0 == 64)
        case .ipv6: return bytes[0] & 0xFE == 0xFC
        case .unix, .none: return false
        }
    }
}
