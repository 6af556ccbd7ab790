internal import Glibc
internal import LinuxSystem

/// Finds the configured links among the interfaces and addresses there are. It does no I/O; all it remembers is which
/// interfaces have had a default route, since the loss of one means that the link leads nowhere now, while an interface that
/// never had one may still reach a peer in its own network.
public struct LinkSelector: Sendable {
    private var configured: [ConfiguredLink]
    private var exclude: [String]
    private var routed: Set<RoutedInterface> = []

    private struct RoutedInterface: Hashable {
        var interface: UInt32
        var family: SocketAddress.Family
    }

    /// - Parameters:
    ///   - configured: the links, in the order of the configuration.
    ///   - exclude: shell patterns (fnmatch(3)) of interfaces that `*` leaves out.
    public init(_ configured: [ConfiguredLink], exclude: [String]) {
        self.configured = configured
        self.exclude = exclude
    }

    /// Another configuration; what is remembered of interfaces is kept.
    ///
    /// - Parameters:
    ///   - configured: the links, in the order of the configuration.
    ///   - exclude: shell patterns of interfaces that `*` leaves out.
    public mutating func configure(_ configured: [ConfiguredLink], exclude: [String]) {
        self.configured = configured
        self.exclude = exclude
    }

    /// The links as they are now, by priority, then as configured. Of `*` there are only those that have an interface with a
    /// global address and a default route, or had one while it was up.
    public mutating func links(in table: LinkTable) -> [LinkStatus] {
        for route in table.routes {
            routed.insert(RoutedInterface(interface: route.interface, family: route.family))
        }
        routed = routed.filter { table.interfaces[$0.interface] != nil }
        var taken = Set(
            configured.compactMap { link -> String? in
                if case .interface(let name) = link.target, name != "*" { name } else { nil }
            })
        var links: [LinkStatus] = []
        for link in configured {
            switch link.target {
            case .interface("*"):
                for interface in table.interfaces.values.sorted(by: { $0.index < $1.index })
                where isWanted(interface, in: table) && taken.insert(interface.name).inserted {
                    var named = link
                    named.name = interface.name
                    links.append(self.link(named, interface, in: table))
                }
            case .interface(let name):
                links.append(self.link(link, table.interface(named: name), in: table))
            case .address(let address):
                links.append(self.link(link, address.with(port: 0), in: table))
            }
        }
        return links.enumerated().sorted {
            ($0.element.configured.priority, $0.offset) < ($1.element.configured.priority, $1.offset)
        }.map(\.element)
    }

    /// Whether an interface is one of `*`.
    private func isWanted(_ interface: NetworkInterface, in table: LinkTable) -> Bool {
        guard !interface.isLoopback, !exclude.contains(where: { Self.matches($0, interface.name) }) else {
            return false
        }
        return routed.contains { $0.interface == interface.index }
    }

    private func link(_ link: ConfiguredLink, _ interface: NetworkInterface?, in table: LinkTable) -> LinkStatus {
        var result = LinkStatus(
            name: link.name, configured: link, interface: interface?.index ?? 0,
            interfaceName: interface?.name ?? "", addresses: [], state: .absent)
        guard let interface else { return result }
        let usable = table.addresses(of: interface.index).filter(\.isUsable).map(\.address)
        let leading = usable.filter { leads($0, interface.index, in: table) }
        result.state = Self.state(interface, hasAddress: !usable.isEmpty, hasRoute: !leading.isEmpty)
        if result.state == .up { result.addresses = leading }
        return result
    }

    private func link(_ link: ConfiguredLink, _ address: SocketAddress, in table: LinkTable) -> LinkStatus {
        var result = LinkStatus(
            name: link.name, configured: link, interface: 0, interfaceName: "", addresses: [], state: .absent)
        guard let holder = table.addresses.first(where: { $0.address == address }),
            let interface = table.interfaces[holder.interface]
        else {
            if link.isAnnounced {
                result.state = .up
                result.addresses = [address]
            }
            return result
        }
        result.interface = interface.index
        result.interfaceName = interface.name
        result.state = Self.state(
            interface, hasAddress: !holder.isTentative && !holder.isDuplicate,
            hasRoute: leads(address, interface.index, in: table))
        if result.state == .up { result.addresses = [address] }
        return result
    }

    /// Whether an address's family has its default route by the interface still, or never had one.
    private func leads(_ address: SocketAddress, _ interface: UInt32, in table: LinkTable) -> Bool {
        table.hasDefaultRoute(interface, address.family)
            || !routed.contains(RoutedInterface(interface: interface, family: address.family))
    }

    private static func state(_ interface: NetworkInterface, hasAddress: Bool, hasRoute: Bool) -> LinkStatus.State {
        if !interface.isUp { return .down }
        if !interface.isRunning { return .noCarrier }
        if !hasAddress { return .noAddress }
        return hasRoute ? .up : .noRoute
    }

    static func matches(_ pattern: String, _ name: String) -> Bool {
        unsafe fnmatch(pattern, name, 0) == 0
    }
}
