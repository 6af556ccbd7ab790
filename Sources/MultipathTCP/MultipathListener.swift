public import LinuxSystem
public import SystemPackage

/// Accepts connections, over multipath TCP when told to; a multipath listener takes plain TCP clients too.
///
/// ```swift
/// var options = MultipathListener.Options()
/// options.multipath = true
/// let listener = try MultipathListener(on: .any(.ipv6, port: 7143), options)
/// let connection = try listener.accept()
/// print(connection.isMultipath)
/// ```
///
/// Keep a multipath listener open as long as connections that it accepted live: later subflows of theirs arrive at it. Any
/// thread may use it.
public final class MultipathListener: Sendable {
    /// What can be chosen.
    public struct Options: Sendable {
        /// Whether to accept multipath TCP. Off by default. Where it cannot be had, the listener is plain TCP and says why.
        public var multipath = false
        /// How many connections may wait to be accepted. Subflows that join wait there too, and one that finds no room is
        /// lost for good: hence the large default.
        public var backlog = 4096
        /// On an IPv6 address: take no IPv4 clients.
        public var ipv6Only = false
        /// A descriptor that, once readable, ends every wait of the listener and of its connections with
        /// `Errno.canceled`: an eventfd or a signalfd. It must stay open as long as they are used.
        public var cancellation: CInt?

        /// The defaults: plain TCP.
        public init() {}
    }

    private let socket: Socket
    private let cancellation: CInt?
    /// The address listened on, with the port that the kernel chose when 0 was asked for.
    public let address: SocketAddress
    /// Why the listener does not accept multipath TCP; `nil` when it does.
    public let notMultipathReason: NotMultipathReason?

    /// Starts listening.
    ///
    /// - Throws: `Errno.addressInUse`, `.addressNotAvailable`, `.permissionDenied` (a port below 1024), and any error of
    ///   socket(2), bind(2) or listen(2).
    public init(on address: SocketAddress, _ options: Options = Options()) throws(Errno) {
        let opened = try MultipathSupport.socket(address.family, wanting: options.multipath ? .mptcp : .tcp)
        let reason = opened.reason
        let socket = opened.take()
        try socket.set(.reuseAddress, 1)
        if address.family == .ipv6 { try socket.set(.ipv6Only, options.ipv6Only ? 1 : 0) }
        try socket.bind(to: address)
        try socket.listen(backlog: options.backlog)
        self.address = try socket.localAddress()
        self.socket = socket
        cancellation = options.cancellation
        notMultipathReason = reason
    }

    /// Whether clients can connect over multipath TCP.
    public var isMultipath: Bool { notMultipathReason == nil }

    /// The descriptor, for calls that this type does not have. It stays owned by the listener, which must outlive its use.
    public var raw: CInt { socket.raw }

    /// Takes the next connection, waiting for it. A client that is gone before it could be accepted is passed over.
    ///
    /// - Parameter timeout: how long to wait; `nil` without end.
    /// - Throws: `Errno.timedOut`, `.canceled`; `.tooManyOpenFiles` and its like, after which the client still waits.
    public func accept(timeout: Duration? = nil) throws(Errno) -> MultipathConnection {
        let deadline = Waiting.deadline(after: timeout)
        while true {
            do throws(Errno) {
                return try acceptNow()
            } catch {
                guard error == .wouldBlock else {
                    if Self.concernsOneClient(error) { continue }
                    throw error
                }
            }
            try Waiting.until(socket.raw, .readable, deadline: deadline, cancellation: cancellation)
        }
    }

    private func acceptNow() throws(Errno) -> MultipathConnection {
        var peer = SocketAddress.none
        let accepted = try socket.accept(peer: &peer)
        let local = try accepted.localAddress()
        let reason: NotMultipathReason? =
            switch accepted.multipathState {
            case .multipath: nil
            case .fellBack: .peerOrPathRefused
            case .plainTCP: notMultipathReason ?? .clientDidNotAsk
            case .notTCP: .notTCP
            }
        return MultipathConnection(
            accepted, local: local.unmapped, remote: peer.unmapped, reasonAtStart: reason, cancellation: cancellation)
    }

    /// Errors of accept(2) that are the failure of the client that was next, not of the listener.
    private static func concernsOneClient(_ error: Errno) -> Bool {
        switch error {
        case .connectionAbort, .connectionReset, .networkDown, .hostIsDown, .noRouteToHost, .networkUnreachable,
            .timedOut:
            true
        default: error.rawValue == 71  // EPROTO
        }
    }
}
