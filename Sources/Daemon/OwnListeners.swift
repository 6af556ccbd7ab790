internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import SystemPackage

extension Supervisor {
    /// Listeners that a reload has opened, before anybody can come by them.
    func addOwn(_ opened: borrowing UniqueArray<OpenListener>) {
        for index in 0..<opened.count {
            // Its address was asked for when it was opened.
            if let address = try? opened[index].socket.localAddress(), address.endpoint != nil { own.add(address) }
        }
    }

    /// Listeners as a reload has left them: those that it gave up may be reached again, should others listen there now.
    ///
    /// - Parameter new: the new configuration. The admin interface stays where it began.
    func setOwn(_ new: Settings) {
        var addresses = ownAdmin + Self.announcedPorts(new.paths)
        for index in 0..<listeners.count {
            if let address = try? listeners[index].socket.localAddress(), address.endpoint != nil {
                addresses.append(address)
            }
        }
        own.set(addresses)
    }

    /// Where this daemon listens over IP, the admin interface and the kernel's listeners for joins included: clients may not be
    /// sent there.
    static func ownListeners(
        _ listeners: borrowing UniqueArray<OpenListener>, _ settings: Settings
    ) throws(Errno) -> [SocketAddress] {
        var own = ownAdmin(settings) + announcedPorts(settings.paths)
        for index in 0..<listeners.count {
            let address = try listeners[index].socket.localAddress()
            if address.endpoint != nil { own.append(address) }
        }
        return own
    }

    static func ownAdmin(_ settings: Settings) -> [SocketAddress] {
        settings.admin.http.map { [SocketAddress($0) ?? .any(.ipv6, port: $0.port)] } ?? []
    }

    /// For addresses that are announced with a port, the kernel listens there.
    private static func announcedPorts(_ paths: PathSettings) -> [SocketAddress] {
        guard paths.manage else { return [] }
        return paths.links.filter { $0.announce && $0.port != 0 }.map { link in
            guard case .address(let address) = link.target,
                let own = SocketAddress(bytes: address.bytes.span, port: link.port)
            else { return .any(.ipv6, port: link.port) }
            return own
        }
    }
}
