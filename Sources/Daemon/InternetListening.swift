internal import Configuration
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// Sockets to listen on at an address and port.
enum InternetListening {
    /// A socket for a local address of a target, not bound yet. `*` is dual-stack, or IPv4 where there is no IPv6.
    ///
    /// - Parameter local: one of the target's addresses.
    static func socket(
        _ local: SocketAddress, of target: HostPort, _ wanted: StreamProtocol
    ) throws(ListenRefusal) -> ListeningSocket {
        let isWildcard = target.host == .any
        let opened = try ListenRefusal.trying("socket") { () throws(Errno) in
            try socket(local.family, wanted, isWildcard: isWildcard)
        }
        // A restarted daemon takes its port over from connections that are still closing.
        try ListenRefusal.trying("SO_REUSEADDR") { () throws(Errno) in try opened.socket.set(.reuseAddress, 1) }
        if let scope = target.scope, !local.isLinkLocal {
            try ListenRefusal.trying("SO_BINDTODEVICE") { () throws(Errno) in
                try opened.socket.bind(toInterface: scope)
            }
        }
        return opened
    }

    private static func socket(
        _ family: SocketAddress.Family, _ wanted: StreamProtocol, isWildcard: Bool
    ) throws(Errno) -> ListeningSocket {
        do throws(Errno) {
            let opened = try MultipathSupport.socket(family, wanting: wanted)
            if family == .ipv6 { try opened.socket.set(.ipv6Only, isWildcard ? 0 : 1) }
            return ListeningSocket(
                family: family, streamProtocol: opened.streamProtocol, reason: opened.reason, socket: opened.take())
        } catch {
            guard isWildcard, error == .addressFamilyNotSupported else { throw error }
            let opened = try MultipathSupport.socket(.ipv4, wanting: wanted)
            return ListeningSocket(
                family: .ipv4, streamProtocol: opened.streamProtocol, reason: opened.reason, socket: opened.take())
        }
    }
}

/// A socket to listen on, and what it turned out to be.
struct ListeningSocket: ~Copyable {
    let family: SocketAddress.Family
    let streamProtocol: StreamProtocol
    let reason: NotMultipathReason?
    let socket: Socket

    /// Where it is to be bound: the local address, or any of its own family.
    func bindAddress(_ local: SocketAddress) -> SocketAddress {
        family == local.family ? local : .any(family, port: local.port)
    }

    consuming func take() -> Socket { socket }
}
