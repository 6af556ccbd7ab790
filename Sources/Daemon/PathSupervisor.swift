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
    let settings: PathSettings
    let logger: Logger
    /// `nil` where netlink is forbidden: then there are no links.
    var monitor: LinkMonitor?
    var selector: LinkSelector
    /// `nil` without `paths.manage`, or without the right to.
    var kernel: PathKernel?
    /// By priority.
    var links: [SupervisedLink] = []
    /// What the loops were told last.
    var candidates: [LinkCandidate] = []
    /// The links that the kernel's endpoints were made for last.
    var applied: [LinkStatus] = []
    /// Since when no link can be used.
    var deadSince: MonotonicTime?
    /// The number of each name ever seen, so that a link that comes back is the same.
    private var numbers: [String: Int] = [:]

    /// Opens what can be opened, and says what cannot.
    init(_ settings: PathSettings, logger: Logger) {
        self.settings = settings
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
    }

    private static func openKernel(_ settings: PathSettings, _ logger: Logger) -> PathKernel? {
        do throws(PathManagerError) {
            return try PathKernel.open(
                PathLimits(subflows: settings.maxSubflows, acceptedAnnouncements: settings.maxAnnounced))
        } catch {
            PathNotices(logger: logger).writeUnmanaged(error)
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
        if let raw = kernel?.events.raw {
            try poller.add(raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.pathEvents.rawValue))
        }
    }

    /// Takes the links up as they are: called once, before clients are accepted.
    mutating func start(_ loops: borrowing LoopThreads) {
        if settings.manage {
            for manager in RunningManager.all() { PathNotices(logger: logger).write(manager) }
        }
        look()
        apply(loops)
    }

    /// Restores what was found.
    mutating func stop() {
        guard kernel != nil else { return }
        do throws(PathManagerError) {
            if let report = try kernel?.keeper.restore() { note(report) }
        } catch {
            PathNotices(logger: logger).write(error, during: "restoring endpoints and limits")
        }
    }

    /// Links may have changed.
    ///
    /// - Returns: whether they did.
    mutating func receiveLinks(_ loops: borrowing LoopThreads) -> Bool {
        do throws(NetlinkError) {
            guard let changes = try monitor?.receive(), !changes.isEmpty else { return false }
        } catch {
            PathNotices(logger: logger).write(.netlink(error), during: "following links")
            return false
        }
        look()
        apply(loops)
        return true
    }

    /// Finds the links anew.
    private mutating func look() {
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
            PathNotices(logger: logger).writeGone(gone)
        }
        links = found
    }

    private mutating func number(of name: String) -> Int {
        if let number = numbers[name] { return number }
        let number = numbers.count + 1
        numbers[name] = number
        return number
    }

    /// Makes dials and endpoints follow the links.
    mutating func apply(_ loops: borrowing LoopThreads) {
        let wanted = dialCandidates()
        if wanted != candidates {
            candidates = wanted
            loops.send(.setLinks(wanted))
        }
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
