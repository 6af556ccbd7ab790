internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import ServiceManager
internal import SystemPackage

/// The links of this host and what is made of them: candidates for the loops' dials, and with `paths.manage` the kernel's
/// endpoints, limits and subflows.
///
/// Concurrency: owned and used by the main thread. It acts when a descriptor of it is readable, a loop reports, somebody asks,
/// or `deadline` has come; while all is well there is no deadline.
struct PathSupervisor: ~Copyable {
    var settings: PathSettings
    let logger: Logger
    /// `nil` where netlink is forbidden: then there are no links.
    var monitor: LinkMonitor?
    var selector: LinkSelector
    /// `nil` without `paths.manage`, or without the right to.
    var kernel: PathKernel?
    /// `nil` without `paths.routing`, or without the right to.
    var routing: SourceRouting?
    /// By priority.
    var links: [SupervisedLink] = []
    /// What the loops were told last.
    var candidates: [LinkCandidate] = []
    /// The links that the kernel's endpoints were made for last.
    var applied: [LinkStatus] = []
    /// Decides which links are better left alone.
    var linkGuard = LinkGuard()
    /// The same for single peers.
    var peerGuards = PeerGuards()
    /// When subflows that should not be there were closed last.
    var peersKept = MonotonicTime(nanoseconds: 0)
    /// What the rules and modes make of the links.
    var policy = PathPolicy(usage: UsageBook(month: UsageBook.Month(seconds: UsageFile.seconds)))
    /// `nil` when no link has a monthly limit.
    var usageFile: UsageFile?
    /// When the month's use is to be written.
    var saveDue = MonotonicTime.never
    /// When to look whether the month has ended.
    var calendarDue = MonotonicTime.never
    /// Since when no link can be used.
    var deadSince: MonotonicTime?
    /// Which connections lack subflows.
    var audit = SubflowAudit()
    /// When to look for that next.
    var nextAudit = MonotonicTime.never
    /// When endpoints were last added, by link.
    var addedAt: [String: MonotonicTime] = [:]
    /// What happens to subflows is listened to as far as this.
    var eventKinds: PathEvents.Kinds = []
    /// When to look whether somebody else has changed the endpoints.
    var upkeep = EndpointUpkeep()
    /// Other managers of endpoints that were told of.
    var toldManagers: Set<RunningManager> = []
    /// Netlink sockets that have failed.
    var reopening = NetlinkReopening()
    /// Closes single subflows: with `CAP_NET_ADMIN` also where Braid does not manage endpoints, as at most far ends.
    var diagnostics: SocketDiagnostics?
    /// Questions over links, while none works.
    var probes = LinkProbes()
    /// When all links seemed dead last and were not.
    var falseAlarm = MonotonicTime(nanoseconds: 0)
    /// What `summary` was when it was looked at last.
    private var shownSummary: String?
    /// The ports of MPTCP upstreams: of the configuration, and of relays whose last connections go on.
    var dialledPorts: Set<UInt16>
    /// The relays that dial over MPTCP differ in `mode`.
    var modesDiffer = false
    /// The number of each name ever seen, so that a link that comes back is the same.
    private var numbers: [String: Int] = [:]

    /// Opens what can be opened, and says what cannot.
    init(_ settings: PathSettings, relays: [RelaySettings], logger: Logger) {
        self.settings = settings
        dialledPorts = Self.ports(relays)
        self.logger = logger
        selector = LinkSelector(ConfiguredLink.all(settings), exclude: settings.exclude)
        var monitor: LinkMonitor?
        do throws(NetlinkError) {
            monitor = try LinkMonitor()
        } catch {
            logger.event(
                .pathRefused, "the interfaces cannot be followed: \(error)",
                metadata: ["operation": "following links", "reason": "\(error)"])
        }
        self.monitor = monitor
        var kernel: PathKernel?
        if settings.manage { kernel = Self.openKernel(settings, logger) }
        self.kernel = kernel
        var routing: SourceRouting?
        if settings.routing { routing = Self.openRouting(logger) }
        self.routing = routing
        var diagnostics: SocketDiagnostics?
        if ThisProcess.hasNetworkAdministration { diagnostics = Self.openDiagnostics(logger) }
        self.diagnostics = diagnostics
    }

    private static func openDiagnostics(_ logger: Logger) -> SocketDiagnostics? {
        do throws(PathManagerError) {
            return try SocketDiagnostics()
        } catch {
            PathNotices(logger: logger).write(error, during: "listing and closing subflows")
            return nil
        }
    }

    static func openKernel(_ settings: PathSettings, _ logger: Logger) -> PathKernel? {
        do throws(PathManagerError) {
            return try PathKernel.open(PathLimits(settings))
        } catch {
            PathNotices(logger: logger).writeUnmanaged(error)
            return nil
        }
    }

    static func openRouting(_ logger: Logger) -> SourceRouting? {
        do throws(NetlinkError) {
            return try SourceRouting()
        } catch {
            PathNotices(logger: logger).writeUnrouted(error)
            return nil
        }
    }

    /// Whether dials start from the links first, or from where the routing table says and from links only beside that.
    var isConfigured: Bool { settings.manage || !settings.links.isEmpty }

    /// Adds its descriptors to a poller.
    mutating func watch(_ poller: borrowing Poller) throws(Errno) {
        if let raw = monitor?.raw {
            try poller.add(raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.links.rawValue))
        }
        if let raw = kernel?.events?.raw {
            try poller.add(raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.pathEvents.rawValue))
        }
    }

    /// Takes the links up as they are: called once, before clients are accepted.
    mutating func start(_ loops: borrowing LoopThreads) {
        if settings.manage { noteOtherManagers() }
        watchStalls(loops)
        limitQueues(loops)
        if diagnostics != nil, kernel != nil { loops.send(.probeSilence) }
        look()
        apply(loops)
        listen()
    }

    /// Tells the loops when a subflow that acknowledges nothing is to be left.
    func watchStalls(_ loops: borrowing LoopThreads) {
        guard diagnostics != nil else { return }
        let timeout: UInt64 =
            switch settings.stallTimeout {
            case .automatic: 0
            case .fixed(let duration): duration.wholeNanoseconds
            }
        loops.send(.watchStalls(timeout: timeout))
    }

    /// Has bulk queue no more in the kernel than the links need: what is sent again when one dies stands behind it.
    private func limitQueues(_ loops: borrowing LoopThreads) {
        do throws(Errno) {
            let bounds = try SendBufferBounds.read()
            loops.send(.limitQueues(largest: bounds.largest, settable: bounds.settable))
        } catch {
            logger.notice("what is queued for links is left to the kernel: net.ipv4.tcp_wmem: \(error)")
        }
    }

    /// Restores what was found.
    mutating func stop() {
        saveUsage()
        restoreRouting()
        guard kernel != nil else { return }
        do throws(PathManagerError) {
            if let report = try kernel?.keeper.restore() { note(report) }
        } catch {
            PathNotices(logger: logger).write(error, during: "restoring endpoints and limits")
        }
    }

    mutating func restoreRouting() {
        for refusal in routing?.restore() ?? [] { PathNotices(logger: logger).write(refusal) }
    }

    /// Leaves everything as it is: another process of this host follows the links from now on.
    mutating func leave(_ poller: borrowing Poller) {
        saveUsage()
        // What was never put in is not there.
        if let raw = monitor?.raw { _ = try? poller.remove(raw) }
        if let raw = kernel?.events?.raw { _ = try? poller.remove(raw) }
        monitor = nil
        kernel = nil
        reopening = NetlinkReopening()
    }

    /// Links may have changed.
    mutating func receiveLinks(_ loops: borrowing LoopThreads) {
        do throws(NetlinkError) {
            guard let changes = try monitor?.receive(), !changes.isEmpty else { return }
        } catch {
            return monitorFailed(error)
        }
        followLinks(loops)
    }

    /// Finds the links anew, and acts on what has changed.
    mutating func followLinks(_ loops: borrowing LoopThreads) {
        look()
        apply(loops)
        listen()
    }

    /// Finds the links anew.
    ///
    /// - Parameter gone: why a link that is not there any more is not.
    mutating func look(gone reason: String = LinkSnapshot.State.absent.text) {
        guard let table = monitor?.table else { return }
        var found: [SupervisedLink] = []
        for status in selector.links(in: table) {
            let before = links.first { $0.name == status.name }
            var link = before ?? SupervisedLink(id: number(of: status.name), status: status)
            link.take(status)
            PathNotices(logger: logger).write(from: before, to: link)
            found.append(link)
        }
        for gone in links where !found.contains(where: { $0.name == gone.name }) {
            PathNotices(logger: logger).writeGone(gone, reason)
        }
        links = found
    }

    private mutating func number(of name: String) -> Int {
        if let number = numbers[name] { return number }
        let number = numbers.count + 1
        numbers[name] = number
        return number
    }

    /// Makes dials and endpoints follow the links, and what the rules and the guard make of them.
    mutating func apply(_ loops: borrowing LoopThreads) {
        judgeLinks(loops)
        runGuard(.now())
        let wanted = dialCandidates()
        if wanted != candidates {
            candidates = wanted
            loops.send(.setLinks(wanted))
        }
        route()
        reconcile()
    }

    /// Where dials may start from. The routing table's own choice is one more, for upstreams that no link leads to (another
    /// interface's network, a tunnel): the last where links are configured, else the first.
    private func dialCandidates() -> [LinkCandidate] {
        let dialled = links.filter { !$0.status.configured.isAnnounced }
        guard dialled.count > (isConfigured ? 0 : 1) else { return [] }
        let routed = LinkCandidate(
            id: 0, ipv4: SocketAddress.none, ipv6: SocketAddress.none, priority: isConfigured ? .max : -1,
            isBackup: isConfigured, isUp: true)
        return dialled.map { $0.candidate(priority: $0.status.configured.priority) } + [routed]
    }

    /// Whether `summary` has changed since this was asked last.
    mutating func takeChange() -> Bool {
        let now = summary
        defer { shownSummary = now }
        return now != shownSummary
    }

    /// `2 of 2 links up`; `nil` without links.
    var summary: String? {
        if links.isEmpty { return nil }
        return "\(links.count { $0.isUsable }) of \(Supervisor.counted(links.count, "link")) up"
    }
}

extension SupervisedLink {
    /// Takes over what the kernel shows now.
    mutating func take(_ status: LinkStatus) {
        if status.state != .up || status.addresses != self.status.addresses { stall = nil }
        self.status = status
        if !status.addresses.isEmpty { lastAddresses = status.addresses }
    }
}
