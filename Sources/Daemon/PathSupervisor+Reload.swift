internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import ServiceManager
internal import SystemPackage

/// Other links, rules and limits while everything runs.
///
/// Only the difference reaches the kernel: subflows of a link that has not changed neither end nor begin. What people have
/// asked for by `braid link` stays in force.
extension PathSupervisor {
    /// Takes a new `[paths]` over.
    ///
    /// - Parameters:
    ///   - new: the settings. What manages endpoints goes on to: giving them back would close the subflows of every open
    ///     connection, the first ones too.
    ///   - common: the mode of all relays; `nil` when they differ.
    mutating func reload(
        _ new: PathSettings, mode common: PathMode?, _ loops: borrowing LoopThreads, _ poller: borrowing Poller
    ) {
        noteModes(common)
        let former = settings
        let mode = common ?? .aggregate
        if new == former, mode == policy.mode { return }
        let hadPolicy = hasPolicy
        settings = new
        policy.mode = mode
        if new.stallTimeout != former.stallTimeout { watchStalls(loops) }
        if new.guardsLinks != former.guardsLinks { restartGuard() }
        if new.manage, !former.manage { beginManaging(loops, poller) } else { kernel?.keeper.take(PathLimits(new)) }
        if new.routing != former.routing { exchangeRouting() }
        exchangeLinks()
        exchangePolicy(hadPolicy, loops)
        apply(loops)
        listen()
    }

    /// The relays that connections belong to from now on.
    mutating func takeUpstreams(of relays: [RelaySettings]) { dialledPorts = Self.ports(relays) }

    static func ports(_ relays: [RelaySettings]) -> Set<UInt16> {
        Set(relays.flatMap(\.upstream).filter(\.value.isMultipath).compactMap { $0.value.hostPort?.port })
    }

    // MARK: Links

    private mutating func exchangeLinks() {
        selector.configure(ConfiguredLink.all(settings), exclude: settings.exclude)
        let former = Set(links.map(\.name))
        look(gone: "no longer configured")
        let gone = former.subtracting(links.map(\.name))
        // While no link works the endpoints stay as they are, but for those of links that nobody wants any more.
        if !gone.isEmpty, kernel != nil, !links.contains(where: \.isUsable) {
            reconcile(applied.filter { !gone.contains($0.name) })
        }
    }

    // MARK: Endpoints

    private mutating func beginManaging(_ loops: borrowing LoopThreads, _ poller: borrowing Poller) {
        noteOtherManagers()
        kernel = Self.openKernel(settings, logger)
        guard let raw = kernel?.events?.raw else { return }
        do throws(Errno) {
            try poller.add(raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.pathEvents.rawValue))
        } catch {
            logger.warning("lost subflows are found late, for path events cannot be waited for: \(error)")
        }
        if diagnostics != nil { loops.send(.probeSilence) }
    }

    private mutating func exchangeRouting() {
        if settings.routing {
            routing = Self.openRouting(logger)
        } else {
            restoreRouting()
            routing = nil
        }
    }

    // MARK: Rules

    /// The guard begins anew, and what it decided before is void.
    private mutating func restartGuard() {
        linkGuard = LinkGuard()
        changeLinks { $0.guardReason = nil }
    }

    private mutating func exchangePolicy(_ hadPolicy: Bool, _ loops: borrowing LoopThreads) {
        if hasLimits, usageFile == nil {
            var file = UsageFile(logger: logger)
            policy.takeUp(file.load())
            usageFile = file
        }
        if hasPolicy != hadPolicy { loops.send(.tellOfLinks(hasPolicy)) }
        if hadPolicy, !hasPolicy {
            // Without any rule this takes back what the rules before had made of the links.
            judge(loops)
            saveUsage()
        }
    }

    private mutating func changeLinks(_ change: (inout SupervisedLink) -> Void) {
        for index in links.indices {
            let before = links[index]
            change(&links[index])
            PathNotices(logger: logger).write(from: before, to: links[index])
        }
    }
}

extension PathLimits {
    /// `max-subflows` and `max-announced`.
    init(_ settings: PathSettings) {
        self.init(subflows: settings.maxSubflows, acceptedAnnouncements: settings.maxAnnounced)
    }
}
