internal import BasicContainers
public import Configuration
internal import Credentials
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import Paths
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

/// The daemon's main thread: signals, timers, watchdog, names, the log. It moves no byte.
///
/// Concurrency: created, used and destroyed by the main thread. The loops are reached through `LoopShared` only.
public struct Supervisor: ~Copyable {
    enum Tag: UInt32 {
        case signals = 1
        case reports = 2
        case resolver = 3
        case links = 4
        case pathEvents = 5
        case admin = 6
        case destinations = 7
        case upstreamChecks = 10
        case retiredListener = 11
        case takeoverDoor = 12
        case successor = 13
        case subflowNews = 20
    }

    /// The configuration's file, to be read again.
    let file: String
    /// The configuration in force.
    var settings: Settings
    let logger: Logger
    let destination: LogDestination
    var loops: LoopThreads
    var listeners: UniqueArray<OpenListener>
    var destinations: DestinationNames
    let users: UserChecker
    /// Keys and users by the relay's name.
    var credentials: RelayCredentials
    /// Where this daemon listens, for all relays.
    let own: OwnListeners
    /// Where the admin interface listens since the start.
    let ownAdmin: [SocketAddress]
    /// What is said before data, by the relay's name: what its verifier and limits know outlives a reload.
    var handshakePlans: [String: HandshakePlan] = [:]
    /// When this process began, in milliseconds since 1970.
    let beganAt: UInt64
    var retired = RetiredListeners()
    var nextListener: Int
    var roster: RelayRoster
    /// Who may come in, over all relays, and by a relay's name.
    let gate: AdmissionGate
    var gates: [String: AdmissionGate]
    /// Descriptors that this process may have.
    let descriptorLimit: Int
    /// Where a new process asks to take over.
    var door: TakeoverDoor
    /// By which processes that have handed over know how the one is that serves.
    var lifeline: Lifeline
    /// What this process runs, as it was called when it started.
    let program: String?
    var upstreams: UpstreamPools
    var paths: PathSupervisor
    var log: ConnectionLog
    var service: ServiceStatus
    var admin: AdminFace
    /// Subflows and fallbacks, for those who listen.
    var news = SubflowNews()
    /// The links as the admin server knows them.
    var publishedLinks: [LinkSnapshot] = []
    var poller: Poller
    let signals: SignalDescriptor
    let watchdog: Watchdog?
    var heartbeats = Heartbeats()
    var deadlines = Deadlines()
    var draining = false
    /// Another process has taken over.
    var handedOver = false
    /// It has been asked to end since.
    var hurried = false
    var drained: Set<Int> = []
    var connectionsReset = 0
    var finished = false
    var failed = false
    var reportedStuck = false
    /// Log records known to be lost because nobody took them.
    var knownUndelivered: UInt64 = 0

    /// Opens everything that the configuration asks for and starts the loops; nothing is accepted before all of it is open.
    ///
    /// - Parameters:
    ///   - settings: a valid configuration, all of whose features are built.
    ///   - file: its name, for the log.
    ///   - version: this program's version, for the log.
    ///   - takesOver: take the listening sockets of the running daemon over, if there is one, which then finishes its connections.
    /// - Throws: `StartError`, with the line that asks for what the system refuses.
    public static func start(
        _ settings: Settings, file: String, version: String, takesOver: Bool = false
    ) throws(StartError) -> Supervisor {
        SignalDescriptor.ignoreBrokenPipes()
        let logging = DaemonLogging(settings.daemon)
        let logger = logging.logger
        let began = MonotonicTime.now()
        let beganAt = WallClock.milliseconds()
        do {
            let signals = try SignalDescriptor(Signals.watched)
            let poller = try Poller(capacity: 64)
            try poller.add(signals.descriptor.raw, .readable, EventToken(slot: 0, tag: Tag.signals.rawValue))
            let limit = try ThisProcess.raiseDescriptorLimit()
            let watchdog = try Watchdog.inherited()
            let count = threadCount(settings)
            logger.event(
                .daemonStarted, "braid \(version) starts with \(file)",
                metadata: [
                    "version": "\(version)", "config": "\(file)", "threads": .stringConvertible(count),
                    "relays": .stringConvertible(settings.relays.count),
                ])
            let adminPath = settings.admin.socket ?? AdminSettings.defaultSocket(environment: ThisProcess.environment)
            var takeover =
                takesOver
                ? try Takeover.begin(
                    Takeover.path(adminSocket: adminPath), environment: ThisProcess.environment) : nil
            if takesOver, takeover == nil { logger.notice("there is nobody to take over from") }
            let inherited = try takeover?.listeners() ?? InheritedSockets.take()
            var opener = ListenerOpener(inherited: inherited, logger: logger)
            var roster = RelayRoster()
            _ = roster.setCurrent(settings.relays.map { roster.add($0) }, loops: count)
            for (position, relay) in settings.relays.enumerated() {
                try opener.open(relay, relay: roster.current[position])
            }
            try UpstreamCheck.run(settings, logger: logger)
            let nextListener = opener.nextID
            let abandoned = DescriptorStore.names(in: opener.inherited)
            let listeners = opener.finish()
            // What may fail comes before this: from here on the old process has no admin interface any more.
            let credentials = try RelayCredentials(settings.relays)
            try takeover?.releaseAdmin()
            let adminSockets = try AdminSockets.open(settings.admin, logger: logger)
            let adminAddresses = adminSockets.httpAddresses
            let door = TakeoverDoor(
                adminSocket: adminSockets.path, isService: Notification.isWanted, poller, logger)
            let upstreams = try UpstreamPools(logger: logger, checkTag: Tag.upstreamChecks.rawValue)
            let loops = try LoopThreads(count: count)
            for loop in loops.shared {
                try poller.add(
                    loop.reportsDescriptor, .readable,
                    EventToken(slot: UInt32(loop.index), tag: Tag.reports.rawValue))
            }
            let own = OwnListeners(try ownListeners(listeners, settings))
            let users = try UserChecker(loops.shared, logger: logger)
            let admin = try AdminFace(
                adminSockets, settings: settings, version: version, loops: loops.shared, descriptors: limit,
                logger: logger)
            try poller.add(
                admin.mailbox.descriptor, .readable, EventToken(slot: 0, tag: Tag.admin.rawValue))
            let gate = AdmissionGate(limit: connectionLimit(settings, descriptors: limit, loops: count))
            var paths = PathSupervisor(settings.paths, relays: settings.relays, logger: logger)
            try paths.watch(poller)
            paths.beginPolicy(PathMode.common(settings.relays), loops)
            paths.start(loops)
            let log = ConnectionLog(logger: logger, relays: roster, isOn: settings.daemon.logConnections)
            var supervisor = Supervisor(
                file: file, settings: settings, logger: logger, destination: logging.destination, loops: loops,
                listeners: listeners, destinations: try DestinationNames(), users: users, credentials: credentials,
                own: own, ownAdmin: ownAdmin(settings), beganAt: beganAt, nextListener: nextListener, roster: roster,
                gate: gate, gates: [:], descriptorLimit: limit,
                door: door, lifeline: takeover?.lifeline() ?? Lifeline(), program: ThisProcess.program,
                upstreams: upstreams, paths: paths, log: log, service: ServiceStatus(logger: logger), admin: admin,
                poller: poller, signals: signals,
                watchdog: watchdog)
            supervisor.addRelays()
            supervisor.publishRelays()
            supervisor.publishLinks()
            try supervisor.becomeReady(began, takeover, abandoned: abandoned)
            ProgramMemory.releaseStartupPages()
            for address in adminAddresses { logger.info("dashboard and metrics are at \(address)/") }
            return supervisor
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError(at: nil, "\(error)")
        }
    }

    private mutating func addRelays() {
        for (position, id) in roster.current.enumerated() {
            loops.send(.addRelay(plan(settings.relays[position], id: id, settings, inPlaceOf: nil)))
        }
        upstreams.askForAll()
    }

    /// What the loops are told of a relay. One that takes another's place keeps its gate, its counters and what is known of
    /// its upstreams.
    mutating func plan(_ relay: RelaySettings, id: Int, _ settings: Settings, inPlaceOf former: Int?) -> RelayPlan {
        var plan = RelayPlan(
            relay, id: id, raceDelay: settings.paths.raceDelay, gate: gate, dashboard: admin.dashboard)
        if former != nil, let known = gates[relay.name] {
            known.setLimit(relay.maxConnections)
            plan.gate = known
        }
        gates[relay.name] = plan.gate
        let secrets = credentials[relay.name]
        plan.handshake = HandshakePlan(
            relay, secrets, ownListeners: own, former: handshakePlans[relay.name], began: beganAt)
        handshakePlans[relay.name] = plan.handshake
        users.set(secrets.users, relay: id)
        plan.counters = roster.counters(of: id)
        plan.members = upstreams.add(relay, relay: id, inPlaceOf: former)
        return plan
    }

    private mutating func becomeReady(_ began: MonotonicTime, _ takeover: consuming Takeover?, abandoned: [String])
        throws
    {
        for index in 0..<listeners.count { try loops.accept(listeners[index]) }
        try takeover?.complete(unwanted: abandoned)
        // The service manager listens to this process from here on, not earlier.
        for name in abandoned { DescriptorKeeping.forget(stored: name, logger) }
        for index in 0..<listeners.count { DescriptorKeeping.keep(listeners[index], logger) }
        admin.view.publish { $0.isReady = true }
        let took = MonotonicTime.now().since(began)
        for index in 0..<listeners.count {
            logger.info("\(roster[listeners[index].relay]?.name ?? "") listens on \(listeners[index].address)")
        }
        logger.event(
            .daemonReady, "ready: \(Self.counted(settings.relays.count, "relay")), every listener accepts",
            metadata: [
                "relays": .stringConvertible(settings.relays.count), "startup-usec": .stringConvertible(took / 1000),
            ])
        service.send(.ready, .status(statusLine))
        if let watchdog {
            deadlines.watchdog = .now() + watchdog.pingInterval.wholeNanoseconds
            loops.send(.heartbeat)
            service.send(.watchdog)
        }
    }

    var statusLine: String {
        let connections = Self.counted(loops.connections, "connection")
        if draining { return "stopping: \(connections) left" }
        let links = paths.summary.map { ", \($0)" } ?? ""
        let failures = door.failures == 0 ? "" : ", failed hand-overs: \(door.failures)"
        return "\(Self.counted(settings.relays.count, "relay")), \(connections)\(links)\(failures)"
    }

    static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }

    private static func threadCount(_ settings: Settings) -> Int {
        switch settings.daemon.threads {
        case .automatic: ThisProcess.usableProcessors
        case .fixed(let count): count
        }
    }

    /// What `[limits]` says, or what the descriptors allow: two a connection, with the loops' pipes and some more set aside.
    static func connectionLimit(_ settings: Settings, descriptors: Int, loops: Int) -> Int {
        if settings.limits.connections > 0 { return settings.limits.connections }
        return max(16, (descriptors - 64 - loops * 64 - AdminFace.capacity(descriptors: descriptors)) / 2)
    }
}
