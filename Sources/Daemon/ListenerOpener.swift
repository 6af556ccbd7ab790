internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

/// Opens the listening sockets of a configuration, or says which line asks for what the system refuses.
struct ListenerOpener: ~Copyable {
    /// MPTCP joins share the backlog, and one that is lost is lost for good. The kernel caps it at net.core.somaxconn.
    static let backlog = 4096

    let logger: Logger
    var inherited: InheritedSockets
    var listeners = UniqueArray<OpenListener>()

    /// The number of the next listener.
    private(set) var nextID: Int

    init(inherited: consuming InheritedSockets, logger: Logger, firstID: Int = 0) {
        self.inherited = inherited
        self.logger = logger
        nextID = firstID
    }

    /// Opens every `listen` address of a relay.
    mutating func open(_ settings: RelaySettings, relay: Int) throws(StartError) {
        for listen in settings.listen { try open(listen, settings, relay: relay) }
    }

    /// Opens one address of a relay, or takes over the sockets that an earlier run of the service had there.
    mutating func open(_ listen: Located<ListenAddress>, _ settings: RelaySettings, relay: Int) throws(StartError) {
        do throws(ListenRefusal) {
            if try takeStored(listen.value, settings, relay) { return }
            try open(listen.value, settings, relay)
        } catch {
            throw StartError(at: listen.location, error.text(listen.value.description))
        }
    }

    mutating func append(
        _ socket: consuming Socket, relay: Int, _ configured: ListenAddress, address: String, path: String?,
        isMultipath: Bool
    ) {
        listeners.append(
            OpenListener(
                socket: socket, id: nextID, relay: relay, configured: configured, address: address, path: path,
                isMultipath: isMultipath))
        nextID += 1
    }

    /// Removes the files of Unix sockets that were opened in vain.
    func removeFiles(_ logger: Logger) {
        for index in 0..<listeners.count {
            guard let path = listeners[index].path else { continue }
            do throws(Errno) {
                try UnixSocketFile.remove(path)
            } catch {
                logger.warning("cannot remove \(path): \(error)")
            }
        }
    }

    private mutating func open(
        _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        switch address {
        case .tcp(let target): try open(target, .tcp, address, settings, relay)
        case .mptcp(let target): try open(target, .mptcp, address, settings, relay)
        case .unix(let path): try openUnix(path, address, settings, relay)
        case .descriptor(let name): try takeInherited(name, address, settings, relay)
        case .socks5(let target), .http(let target), .transparent(let target):
            try open(target, .tcp, address, settings, relay)
        case .convert(let target): try open(target, .mptcp, address, settings, relay)
        }
    }

    // MARK: IP

    private mutating func open(
        _ target: HostPort, _ wanted: StreamProtocol, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        for local in try Self.addresses(of: target) {
            let opened = try InternetListening.socket(local, of: target, wanted)
            if wanted == .mptcp, let reason = opened.reason {
                logger.event(
                    .multipathUnavailable, "\(address) accepts plain TCP only: \(reason.description)",
                    metadata: ["relay": "\(settings.name)", "listen": "\(address)", "reason": "\(reason.description)"])
            }
            let isMultipath = opened.streamProtocol == .mptcp
            let family: SocketAddress.Family = opened.family
            let bindAddress = opened.bindAddress(local)
            let socket = opened.take()
            try apply(settings, to: socket, family: family)
            try ListenRefusal.trying("bind") { () throws(Errno) in try socket.bind(to: bindAddress) }
            if case .transparent = address { takeForeignDestinations(socket, address, settings, family) }
            if settings.listenSocket.fastOpen {
                try ListenRefusal.trying("TCP_FASTOPEN") { () throws(Errno) in try socket.set(.fastOpen, 256) }
            }
            try ListenRefusal.trying("listen") { () throws(Errno) in try socket.listen(backlog: Self.backlog) }
            let port = (try? socket.localAddress().port) ?? local.port
            var shown = target
            shown.port = port
            append(
                socket, relay: relay, address, address: "\(address.scheme)://\(shown)", path: nil,
                isMultipath: isMultipath)
        }
    }

    /// TPROXY delivers connections to addresses that are not this host's. REDIRECT works without.
    private func takeForeignDestinations(
        _ socket: borrowing Socket, _ address: ListenAddress, _ settings: RelaySettings, _ family: SocketAddress.Family
    ) {
        do throws(Errno) {
            try socket.acceptForeignDestinations(family)
        } catch {
            logger.event(
                .capabilityMissing,
                "\(address) takes connections redirected by REDIRECT, not by TPROXY: that needs CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit)",
                metadata: [
                    "relay": "\(settings.name)", "listen": "\(address)", "capability": "CAP_NET_ADMIN",
                    "reason": "\(error)",
                ])
        }
    }

    static func addresses(of target: HostPort) throws(ListenRefusal) -> [SocketAddress] {
        switch target.host {
        case .any: return [.any(.ipv6, port: target.port)]
        case .address(let address):
            return [
                try ListenRefusal.trying("address") { () throws(Errno) in
                    let text =
                        target.scope.map { address.isLinkLocal ? "\(address)%\($0)" : "\(address)" } ?? "\(address)"
                    return try SocketAddress(parsing: text, port: target.port)
                }
            ]
        case .name(let name):
            let found = NameLookup.wait(for: name, port: target.port)
            switch found {
            case .success(let addresses): return addresses
            case .failure(let error): throw ListenRefusal(call: error.text(for: name), error: .addressNotAvailable)
            }
        }
    }

    // MARK: Unix

    private mutating func openUnix(
        _ path: String, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        let socket = try UnixListening.bind(path)
        try ListenRefusal.trying("listen") { () throws(Errno) in try socket.listen(backlog: Self.backlog) }
        append(socket, relay: relay, address, address: "unix://\(path)", path: path, isMultipath: false)
    }
}
