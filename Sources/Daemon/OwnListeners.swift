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

    /// Where this daemon listens over IP, the admin interface included: clients may not be sent there.
    static func ownListeners(
        _ listeners: borrowing UniqueArray<OpenListener>, _ settings: Settings
    ) throws(Errno) -> [SocketAddress] {
        var own: [SocketAddress] = []
        for index in 0..<listeners.count {
            let address = try listeners[index].socket.localAddress()
            if address.endpoint != nil { own.append(address) }
        }
        if let http = settings.admin.http {
            own.append(SocketAddress(http) ?? .any(.ipv6, port: http.port))
        }
        return own
    }
}
