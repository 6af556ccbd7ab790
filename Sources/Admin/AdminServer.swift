public import LinuxSystem
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// The admin interface: HTTP/1.1 on the admin socket and, read-only, on a network address and inside relays.
///
/// Runs on one thread of its own. Whatever clients do costs relays nothing: numbers, sizes and times are bounded
/// (`AdminLimits`), and the daemon is asked through ``AdminBackend`` only.
public final class AdminServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let site: NIOLoopBoundBox<AdminSite>
    private let interest: EventInterest
    private let notServed: @Sendable (any Error) -> Void

    /// Starts the thread; nothing is served yet.
    ///
    /// - Parameters:
    ///   - backend: the daemon.
    ///   - hosts: names by which browsers may ask for it on a network address, besides addresses and `localhost`.
    ///   - capacity: clients at once; a quarter of the places is kept for the admin socket.
    ///   - notServed: called when a client of ``adopt(_:)`` cannot be served. On the server's thread.
    public init(
        backend: any AdminBackend, hosts: [String], capacity: Int, notServed: @escaping @Sendable (any Error) -> Void
    ) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let interest = EventInterest { backend.setFrequentEvents(wanted: $0) }
        self.group = group
        self.loop = loop
        self.interest = interest
        self.notServed = notServed
        site = NIOLoopBoundBox.makeBoxSendingValue(
            AdminSite(
                loop: loop, backend: backend, hosts: HostCheck(names: hosts), capacity: capacity, interest: interest),
            eventLoop: loop)
    }

    // MARK: Clients

    /// Serves everything to the clients of a Unix socket that listens already.
    ///
    /// - Throws: why it cannot.
    public func serveOwner(_ socket: consuming Socket) throws { try serve(socket, .owner) }

    /// Serves what changes nothing to the clients of a socket that listens already.
    ///
    /// - Throws: why it cannot.
    public func serveReaders(_ socket: consuming Socket) throws { try serve(socket, .reader) }

    /// Takes other names by which browsers may ask. Any thread.
    public func take(hosts: [String]) {
        let site = self.site
        loop.execute { site.value.hosts = HostCheck(names: hosts) }
    }

    /// Serves what changes nothing to one connected client: the other end of a relay's connection.
    public func adopt(_ socket: consuming Socket) {
        let site = self.site
        let raw = socket.release()
        ClientBootstrap(group: loop)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.writeBufferWaterMark, value: Self.waterMark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, site, .reader) }
            }
            .withConnectedSocket(raw)
            .whenFailure(notServed)
    }

    private func serve(_ socket: consuming Socket, _ audience: Audience) throws {
        let site = self.site
        let raw = socket.release()
        _ = try ServerBootstrap(group: loop)
            .serverChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: Self.waterMark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, site, audience) }
            }
            .withBoundSocket(raw)
            .wait()
    }

    private static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(
        low: AdminLimits.writeLowWater, high: AdminLimits.writeHighWater)

    /// Fills a client's pipeline; on the loop.
    private static func prepare(
        _ channel: any Channel, _ site: NIOLoopBoundBox<AdminSite>, _ audience: Audience
    ) throws {
        let handler = ClientHandler(site: site.value, audience: audience)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldCount = AdminLimits.headerFields
        limits.maxHeaderFieldSize = AdminLimits.headerField
        limits.maxHeaderListSize = AdminLimits.headers
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(
            withPipeliningAssistance: true, withErrorHandling: true, withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: limits)
        try channel.pipeline.syncOperations.addHandler(handler)
        guard audience == .owner, let options = channel as? any SocketOptionProvider else { return }
        let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        // The kernel fills in a `struct ucred`, three 32-bit numbers, whatever the socket: unix(7).
        options.unsafeGetSocketOption(level: .socket, name: .init(rawValue: 17))
            .whenSuccess { (credentials: PeerCredentials) in
                // A socket that is no Unix socket has no peer to name.
                guard credentials.uid != .max else { return }
                bound.value.caller = AdminCaller(pid: credentials.pid, uid: credentials.uid)
            }
    }

    private struct PeerCredentials: Sendable {
        let pid: Int32
        let uid: UInt32
        let gid: UInt32
    }

    // MARK: History

    /// Keeps what links and relays carry, for dashboards.
    public func keepHistory() {
        let site = self.site
        loop.execute { site.value.keepHistory() }
    }

    /// Bytes move, after ``AdminBackend/awaitActivity()``. Any thread.
    public func noteActivity() {
        let site = self.site
        loop.execute { site.value.history?.wake() }
    }

    // MARK: Events

    /// Whether events of frequent kinds are worth making. Any thread.
    public var wantsFrequentEvents: Bool { interest.wantsFrequent }

    /// Tells those who listen. Any thread.
    public func publish(_ event: AdminEvent) {
        let site = self.site
        loop.execute { site.value.hub.publish(event) }
    }

    // MARK: End

    /// Ends all clients and the thread, and waits for it.
    ///
    /// - Throws: what NIO could not end.
    public func stop() throws {
        let site = self.site
        loop.execute { site.value.end() }
        try group.syncShutdownGracefully()
    }
}
