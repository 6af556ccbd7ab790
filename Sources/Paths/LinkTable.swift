public import LinuxSystem

/// The interfaces, addresses and default routes of a network namespace: a model that netlink messages change, without any I/O
/// of its own. `LinkMonitor` keeps one current.
public struct LinkTable: Sendable, Hashable {
    /// By their numbers.
    public internal(set) var interfaces: [UInt32: NetworkInterface] = [:]
    /// In the order in which they came.
    public internal(set) var addresses: [InterfaceAddress] = []
    /// In the order in which they came.
    public internal(set) var routes: [DefaultRoute] = []
    /// The kernel drops IPv4 routes without a word when their interface goes down or loses its address, and when another
    /// route takes their place: then only asking for all of them tells which are left.
    public internal(set) var routesAreUncertain = false

    /// An empty table.
    public init() {}

    /// The interface of this name.
    public func interface(named name: String) -> NetworkInterface? {
        interfaces.values.first { $0.name == name }
    }

    /// The addresses of an interface, those good for new connections first: stable before temporary, then as they came.
    public func addresses(of interface: UInt32) -> [InterfaceAddress] {
        let all = addresses.filter { $0.interface == interface }
        return all.filter { $0.isUsable && !$0.isSecondary } + all.filter { $0.isUsable && $0.isSecondary }
            + all.filter { !$0.isUsable }
    }

    /// Whether an interface has a default route of a family, in whatever table.
    public func hasDefaultRoute(_ interface: UInt32, _ family: SocketAddress.Family) -> Bool {
        routes.contains { $0.interface == interface && $0.family == family }
    }

    /// Takes in a notice, or a part of a dump.
    ///
    /// - Returns: what changed by it; nothing for messages about something else.
    /// - Throws: `NetlinkSyntaxError`; the table is as before then.
    @discardableResult
    public mutating func apply(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> [LinkChange] {
        switch message.type {
        case LinkMessages.newLink, LinkMessages.deleteLink:
            guard let interface = try LinkMessages.interface(message) else { return [] }
            return message.type == LinkMessages.newLink ? put(interface) : remove(interface.index)
        case LinkMessages.newAddress, LinkMessages.deleteAddress:
            guard let address = try LinkMessages.address(message) else { return [] }
            return message.type == LinkMessages.newAddress ? put(address) : remove(address)
        case LinkMessages.newRoute, LinkMessages.deleteRoute:
            let routes = try LinkMessages.defaultRoutes(message)
            guard message.type == LinkMessages.newRoute else { return routes.flatMap { remove($0) } }
            if !routes.isEmpty, message.flags.contains(LinkMessages.replace) { routesAreUncertain = true }
            return routes.flatMap { put($0) }
        default: return []
        }
    }

    private mutating func put(_ interface: NetworkInterface) -> [LinkChange] {
        let old = interfaces.updateValue(interface, forKey: interface.index)
        guard let old else { return [.interfaceAppeared(interface)] }
        if old == interface { return [] }
        if old.flags != interface.flags { routesAreUncertain = true }
        return [.interfaceChanged(from: old, to: interface)]
    }

    private mutating func remove(_ index: UInt32) -> [LinkChange] {
        guard let old = interfaces.removeValue(forKey: index) else { return [] }
        let lostRoutes = routes.filter { $0.interface == index }
        let lostAddresses = addresses.filter { $0.interface == index }
        return lostRoutes.flatMap { remove($0) } + lostAddresses.flatMap { remove($0) } + [.interfaceVanished(old)]
    }

    private mutating func put(_ address: InterfaceAddress) -> [LinkChange] {
        guard let place = addresses.firstIndex(where: { $0.isSame(as: address) }) else {
            addresses.append(address)
            return [.addressAppeared(address)]
        }
        let old = addresses[place]
        addresses[place] = address
        return old == address ? [] : [.addressChanged(from: old, to: address)]
    }

    private mutating func remove(_ address: InterfaceAddress) -> [LinkChange] {
        guard let place = addresses.firstIndex(where: { $0.isSame(as: address) }) else { return [] }
        routesAreUncertain = true
        return [.addressVanished(addresses.remove(at: place))]
    }

    private mutating func put(_ route: DefaultRoute) -> [LinkChange] {
        if routes.contains(route) { return [] }
        routes.append(route)
        return [.routeAppeared(route)]
    }

    private mutating func remove(_ route: DefaultRoute) -> [LinkChange] {
        guard let place = routes.firstIndex(of: route) else { return [] }
        return [.routeVanished(routes.remove(at: place))]
    }

    /// Takes over what was just dumped.
    ///
    /// - Returns: what changed by it, what is gone first.
    public mutating func replace(with fresh: LinkTable) -> [LinkChange] {
        let changes = fresh.changes(since: self)
        self = fresh
        return changes
    }

    /// Takes over only the routes of a table that was just dumped, and is certain of them again.
    mutating func replaceRoutes(with fresh: [DefaultRoute]) -> [LinkChange] {
        var copy = self
        copy.routes = fresh
        copy.routesAreUncertain = false
        return replace(with: copy)
    }

    private func changes(since old: LinkTable) -> [LinkChange] {
        var changes = old.routes.filter { !routes.contains($0) }.map(LinkChange.routeVanished)
        for address in old.addresses where !addresses.contains(where: { $0.isSame(as: address) }) {
            changes.append(.addressVanished(address))
        }
        for (index, interface) in old.interfaces.sorted(by: { $0.key < $1.key }) where interfaces[index] == nil {
            changes.append(.interfaceVanished(interface))
        }
        for (index, interface) in interfaces.sorted(by: { $0.key < $1.key }) {
            guard let before = old.interfaces[index] else {
                changes.append(.interfaceAppeared(interface))
                continue
            }
            if before != interface { changes.append(.interfaceChanged(from: before, to: interface)) }
        }
        for address in addresses {
            guard let before = old.addresses.first(where: { $0.isSame(as: address) }) else {
                changes.append(.addressAppeared(address))
                continue
            }
            if before != address { changes.append(.addressChanged(from: before, to: address)) }
        }
        return changes + routes.filter { !old.routes.contains($0) }.map(LinkChange.routeAppeared)
    }
}

extension InterfaceAddress {
    /// Whether it is the same address in another state.
    func isSame(as other: InterfaceAddress) -> Bool {
        interface == other.interface && address == other.address && prefixLength == other.prefixLength
    }
}
