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

    private let logger: Logger
    private var inherited: InheritedSockets
    private(set) var listeners = UniqueArray<OpenListener>()

    init(inherited: consuming InheritedSockets, logger: Logger) {
        self.inherited = inherited
        self.logger = logger
    }

    /// Opens every `listen` address of a relay.
    mutating func open(_ settings: RelaySettings, relay: Int) throws(StartError) {
        for listen in settings.listen {
            do throws(ListenRefusal) {
                try open(listen.value, settings, relay)
            } catch {
                throw StartError(at: listen.location, error.text(listen.value.description))
            }
        }
    }

    /// Ends the opening: what the service manager passed and no listener names is closed, and said.
    consuming func finish() -> UniqueArray<OpenListener> {
        for leftover in inherited.leftovers {
            logger.event(
                .inheritedSocketUnused, "the service manager passed \"\(leftover.name)\", which no listener names",
                metadata: ["name": "\(leftover.name)", "descriptor": .stringConvertible(leftover.descriptor)])
        }
        return listeners
    }

    private mutating func open(
        _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        switch address {
        case .tcp(let target): try open(target, .tcp, address, settings, relay)
        case .mptcp(let target): try open(target, .mptcp, address, settings, relay)
        case .unix(let path): try openUnix(path, address, settings, relay)
        case .descriptor(let name): try takeInherited(name, address, settings, relay)
        case .socks5, .http, .transparent, .convert:
            throw ListenRefusal(call: "listen", error: .notSupported)
        }
    }

    // MARK: IP

    private mutating func open(
        _ target: HostPort, _ wanted: StreamProtocol, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        for local in try Self.addresses(of: target) {
            let opened = try Self.trying("socket") { () throws(Errno) in
                try Self.socket(local, wanted, isWildcard: target.host == .any)
            }
            if wanted == .mptcp, let reason = opened.reason {
                logger.event(
                    .multipathUnavailable, "\(address) accepts plain TCP only: \(reason.description)",
                    metadata: ["relay": "\(settings.name)", "listen": "\(address)", "reason": "\(reason.description)"])
            }
            let isMultipath = opened.streamProtocol == .mptcp
            let family: SocketAddress.Family = opened.family
            let socket = opened.take()
            // A restarted daemon takes its port over from connections that are still closing.
            try Self.trying("SO_REUSEADDR") { () throws(Errno) in try socket.set(.reuseAddress, 1) }
            if let scope = target.scope, !local.isLinkLocal {
                try Self.trying("SO_BINDTODEVICE") { () throws(Errno) in try socket.bind(toInterface: scope) }
            }
            try apply(settings, to: socket, family: family)
            let bindAddress = family == local.family ? local : .any(family, port: local.port)
            try Self.trying("bind") { () throws(Errno) in try socket.bind(to: bindAddress) }
            if settings.listenSocket.fastOpen {
                try Self.trying("TCP_FASTOPEN") { () throws(Errno) in try socket.set(.fastOpen, 256) }
            }
            try Self.trying("listen") { () throws(Errno) in try socket.listen(backlog: Self.backlog) }
            let port = (try? socket.localAddress().port) ?? local.port
            var shown = target
            shown.port = port
            let scheme = isMultipath || wanted == .mptcp ? "mptcp" : "tcp"
            listeners.append(
                OpenListener(
                    socket: socket, relay: relay, address: "\(scheme)://\(shown)", path: nil, isMultipath: isMultipath))
        }
    }

    /// A socket for a local address; `*` is dual-stack, or IPv4 where there is no IPv6.
    private static func socket(
        _ local: SocketAddress, _ wanted: StreamProtocol, isWildcard: Bool
    ) throws(Errno) -> ListeningSocket {
        do throws(Errno) {
            let opened = try MultipathSupport.socket(local.family, wanting: wanted)
            if local.family == .ipv6 { try opened.socket.set(.ipv6Only, isWildcard ? 0 : 1) }
            return ListeningSocket(
                family: local.family, streamProtocol: opened.streamProtocol, reason: opened.reason,
                socket: opened.take())
        } catch {
            guard isWildcard, error == .addressFamilyNotSupported else { throw error }
            let opened = try MultipathSupport.socket(.ipv4, wanting: wanted)
            return ListeningSocket(
                family: .ipv4, streamProtocol: opened.streamProtocol, reason: opened.reason, socket: opened.take())
        }
    }

    static func addresses(of target: HostPort) throws(ListenRefusal) -> [SocketAddress] {
        switch target.host {
        case .any: return [.any(.ipv6, port: target.port)]
        case .address(let address):
            return [
                try Self.trying("address") { () throws(Errno) in
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
        try Self.trying("listen") { () throws(Errno) in try socket.listen(backlog: Self.backlog) }
        listeners.append(
            OpenListener(socket: socket, relay: relay, address: "unix://\(path)", path: path, isMultipath: false))
    }

    // MARK: From the service manager

    private mutating func takeInherited(
        _ name: String, _ address: ListenAddress, _ settings: RelaySettings, _ relay: Int
    ) throws(ListenRefusal) {
        var count = 0
        while true {
            let taken: InheritedListener?
            do throws(InheritedSocketError) {
                taken = try inherited.takeListener(named: name)
            } catch {
                throw ListenRefusal(call: error.description, error: .invalidArgument)
            }
            guard let listener = taken else { break }
            count += 1
            let kind = listener.kind
            let socket = listener.takeSocket()
            let family: SocketAddress.Family = kind == .unix ? .unix : (try? socket.localAddress().family) ?? .ipv4
            try apply(settings, to: socket, family: family)
            listeners.append(
                OpenListener(
                    socket: socket, relay: relay, address: address.description, path: nil,
                    isMultipath: kind == .internet(.mptcp)))
        }
        if count == 0 {
            throw ListenRefusal(
                call:
                    "the service manager passed no socket of this name: its .socket unit needs FileDescriptorName=\(name)",
                error: .noSuchFileOrDirectory)
        }
    }

    // MARK: Options

    /// Sets what accepted sockets inherit.
    private func apply(
        _ settings: RelaySettings, to socket: borrowing Socket, family: SocketAddress.Family
    ) throws(ListenRefusal) {
        var plan = SocketPlan(settings.listenSocket)
        // Both have their own place: an address to bind to is the listener's own, and Fast Open has a queue there.
        plan.sourceAddress = nil
        plan.fastOpen = false
        for failure in socket.apply(plan, family: family) {
            guard failure.isUnsupported else {
                throw ListenRefusal(call: failure.option.description, error: failure.error)
            }
            // User timeouts on MPTCP are watched by the loops themselves.
            logger.event(
                .optionUnsupported, "\(failure.option) is not available on this kind of socket: \(failure.error)",
                metadata: ["relay": "\(settings.name)", "option": "\(failure.option)", "reason": "\(failure.error)"])
        }
    }

    private static func trying<Value: ~Copyable>(
        _ call: String, _ body: () throws(Errno) -> Value
    ) throws(ListenRefusal) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw ListenRefusal(call: call, error: error)
        }
    }
}

/// A socket to listen on, and what it turned out to be.
private struct ListeningSocket: ~Copyable {
    let family: SocketAddress.Family
    let streamProtocol: StreamProtocol
    let reason: NotMultipathReason?
    let socket: Socket

    consuming func take() -> Socket { socket }
}
