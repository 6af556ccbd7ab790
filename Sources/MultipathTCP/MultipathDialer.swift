public import LinuxSystem
internal import SystemPackage

/// Makes connections, over multipath TCP when told to.
///
/// ```swift
/// var dialer = MultipathDialer()
/// dialer.multipath = true
/// let connection = try dialer.connect(host: "gateway.example.net", port: 7143)
/// print(connection.isMultipath)
/// ```
public struct MultipathDialer: Sendable {
    /// Whether to ask for multipath TCP. Off by default. Where it cannot be had, the connection is plain TCP and says why.
    public var multipath = false
    /// How long the whole may take, the lookup of the name excepted.
    public var timeout: Duration = .seconds(15)
    /// How long an address may be silent before the next one is tried beside it. RFC 8305, section 5.
    public var stagger: Duration = .milliseconds(250)
    /// The address of this host to dial from; `nil` leaves it to the routing table. Only addresses of its family are dialled.
    public var source: SocketAddress?
    /// The interface to leave by, whatever the routing table says of `source` (`SO_BINDTODEVICE`, socket(7)); `nil` leaves it to
    /// the routing table. Later subflows inherit it: for examining one link, not for connections that are to have several.
    public var interface: String?
    /// A descriptor that, once readable, ends every wait of the dialer and of its connections with a "canceled" error: an
    /// eventfd or a signalfd. It must stay open as long as they are used.
    public var cancellation: CInt?

    /// A dialer of plain TCP.
    public init() {}

    /// Connects to a host by its name or numeric address, trying its addresses one beside the other.
    ///
    /// - Throws: `DialError`.
    public func connect(host: String, port: UInt16) throws(DialError) -> MultipathConnection {
        try connect(toAnyOf: try NameLookup.addresses(of: host, port: port))
    }

    /// Connects to one address.
    ///
    /// - Throws: `DialError`.
    public func connect(to address: SocketAddress) throws(DialError) -> MultipathConnection {
        try connect(toAnyOf: [address])
    }

    /// Connects to whichever address answers first; each is tried `stagger` after the one before, or as soon as that failed.
    ///
    /// - Throws: `DialError`.
    public func connect(toAnyOf addresses: [SocketAddress]) throws(DialError) -> MultipathConnection {
        let evidence = multipath ? FallbackEvidence.collect() : nil
        let candidates = addresses.filter { source == nil || $0.family == source?.family }
        var race: DialRun
        do throws(Errno) {
            race = try DialRun(self, candidates)
        } catch {
            throw .system(error)
        }
        let winner = try race.run()
        return try finish(winner.opened, winner.address, evidence)
    }

    private func finish(
        _ opened: consuming OpenedSocket, _ address: SocketAddress, _ evidence: FallbackEvidence?
    ) throws(DialError) -> MultipathConnection {
        var reason = opened.reason
        let socket = opened.take()
        if reason == nil, socket.multipathState == .fellBack {
            reason = evidence?.reasonOfFallback(socket.raw) ?? .peerOrPathRefused
        }
        do throws(Errno) {
            let local = try socket.localAddress()
            return MultipathConnection(
                socket, local: local, remote: address, reasonAtStart: reason, cancellation: cancellation)
        } catch {
            throw .failed([DialAttempt(address: address, error: error)])
        }
    }
}
