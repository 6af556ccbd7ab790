internal import Admin
internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// The admin interface as the main thread holds it: the server, what it reads, and what it has asked for.
struct AdminFace: ~Copyable {
    /// Lists of connections that may be under way; whoever asks for more is refused.
    private static let maximumListings = 16

    let view: DaemonView
    let mailbox: AdminMailbox
    /// `nil` when nothing could be opened for it.
    private(set) var server: AdminServer?
    /// The Unix socket's file.
    private let path: String?
    private var nextList: UInt64 = 1
    private var lists: [UInt64: PendingList] = [:]
    private var closes: [UInt64: [@Sendable (Bool) -> Void]] = [:]
    private var pings: [PendingPing] = []

    private struct PendingList {
        var loopsLeft: Int
        let slice: @Sendable (ConnectionSlice) -> Void
    }

    private struct PendingPing {
        let heartbeats: [UInt64]
        let deadline: MonotonicTime
        let answer: @Sendable (Bool) -> Void
    }

    /// Starts the server on sockets that listen already.
    ///
    /// - Throws: what keeps it from being served on one of them.
    init(
        _ sockets: consuming AdminSockets, settings: Settings, version: String, loops: [LoopShared],
        descriptors: Int, logger: Logger
    ) throws {
        // Locals first: a half-built value of this type could not be destroyed.
        let mailbox = try AdminMailbox()
        let view = DaemonView(version: version, loops: loops, mailbox: mailbox)
        let path = sockets.path
        let isInRelay = settings.relays.contains { $0.upstream.contains { $0.value == .dashboard } }
        var server: AdminServer?
        if !sockets.isEmpty || isInRelay {
            let fresh = AdminServer(
                backend: view, hosts: Self.hosts(settings.admin), capacity: Self.capacity(descriptors: descriptors)
            ) { error in logger.warning("a client of the dashboard cannot be served: \(error)") }
            if isInRelay || !sockets.http.isEmpty { fresh.keepHistory() }
            if let unix = sockets.unix.take() { try fresh.serveOwner(unix) }
            while let http = sockets.http.popLast() { try fresh.serveReaders(http) }
            server = fresh
        }
        self.mailbox = mailbox
        self.view = view
        self.path = path
        self.server = server
    }

    /// The names by which browsers may ask.
    private static func hosts(_ settings: AdminSettings) -> [String] {
        var hosts = [ThisProcess.hostName]
        if let name = settings.http?.dnsName { hosts.append(name) }
        return hosts + settings.hosts
    }

    /// Takes other names: of `[admin]`, all that a reload can change.
    func take(_ settings: AdminSettings) { server?.take(hosts: Self.hosts(settings)) }

    /// Serves `dashboard://`.
    var dashboard: ConnectionTaker? {
        guard let server else { return nil }
        return ConnectionTaker { server.adopt($0) }
    }

    /// Clients at once: few beside the connections that the descriptors are for.
    static func capacity(descriptors: Int) -> Int { min(128, max(4, descriptors / 16)) }

    /// Ends the server, and removes the socket's file.
    mutating func stop(_ logger: Logger) {
        for answers in closes.values { for answer in answers { answer(false) } }
        closes = [:]
        for list in lists.values { list.slice(.refused) }
        lists = [:]
        for ping in pings { ping.answer(false) }
        pings = []
        pingDeadline = .never
        do {
            try server?.stop()
        } catch {
            logger.warning("the admin server did not end: \(error)")
        }
        server = nil
        removeSocketFile(logger)
    }

    private func removeSocketFile(_ logger: Logger) {
        guard let path else { return }
        do throws(Errno) {
            try UnixSocketFile.remove(path)
        } catch {
            logger.warning("cannot remove \(path): \(error)")
        }
    }

    // MARK: Lists of connections

    mutating func list(
        _ loops: borrowing LoopThreads, _ slice: @escaping @Sendable (ConnectionSlice) -> Void
    ) {
        guard lists.count < Self.maximumListings else { return slice(.refused) }
        let request = nextList
        nextList += 1
        lists[request] = PendingList(loopsLeft: loops.shared.count, slice: slice)
        loops.send(.list(request: request))
    }

    mutating func listed(_ request: UInt64, _ snapshots: [ConnectionSnapshot], isLast: Bool) {
        guard var list = lists[request] else { return }
        if isLast { list.loopsLeft -= 1 }
        let isComplete = list.loopsLeft == 0
        lists[request] = isComplete ? nil : list
        let view = self.view
        let now = MonotonicTime.now()
        list.slice(.rows({ view.rows(snapshots, at: now) }, isLast: isComplete))
    }

    // MARK: Closing connections

    mutating func close(
        _ connection: UInt64, _ loops: borrowing LoopThreads, _ answer: @escaping @Sendable (Bool) -> Void
    ) {
        let index = LoopShared.index(ofConnection: connection)
        guard loops.shared.indices.contains(index) else { return answer(false) }
        closes[connection, default: []].append(answer)
        loops.shared[index].send(.close(connection: connection))
    }

    mutating func closeAnswered(_ connection: UInt64, found: Bool) {
        guard var answers = closes[connection], !answers.isEmpty else { return }
        let answer = answers.removeFirst()
        closes[connection] = answers.isEmpty ? nil : answers
        answer(found)
    }

    // MARK: Whether every loop makes progress

    /// How long loops have to show it.
    private static let pingPatience: UInt64 = 3_000_000_000
    /// How often they are looked at until they have.
    private static let pingInterval: UInt64 = 10_000_000

    /// When to look at the loops' heartbeats again; `never` while nobody asks.
    private(set) var pingDeadline = MonotonicTime.never

    mutating func ping(_ loops: borrowing LoopThreads, _ answer: @escaping @Sendable (Bool) -> Void) {
        let now = MonotonicTime.now()
        pings.append(
            PendingPing(
                heartbeats: loops.shared.map(\.heartbeats), deadline: now + Self.pingPatience, answer: answer))
        loops.send(.heartbeat)
        pingDeadline = now + Self.pingInterval
    }

    mutating func lookAtPings(_ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        let beats = loops.shared.map(\.heartbeats)
        pings.removeAll { ping in
            let isAlive = zip(beats, ping.heartbeats).allSatisfy { $0 > $1 }
            if isAlive || now >= ping.deadline { ping.answer(isAlive) }
            return isAlive || now >= ping.deadline
        }
        pingDeadline = pings.isEmpty ? .never : now + Self.pingInterval
    }
}
