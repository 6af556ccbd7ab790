internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import SystemPackage

extension Supervisor {
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
