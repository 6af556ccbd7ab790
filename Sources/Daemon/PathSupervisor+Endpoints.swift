internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// The kernel's endpoints follow the links.
extension PathSupervisor {
    /// Makes the kernel's endpoints what the links call for, at once.
    ///
    /// When no link can be used, the endpoints stay: there is nowhere to move the data to, and a connection that is half
    /// closed cannot open a subflow again (the kernel joins established connections only), while it outlives a short fault
    /// on the subflow that it has. When a link is back, every connection opens new subflows.
    mutating func reconcile() {
        guard kernel != nil else { return }
        let usable = links.filter(\.isUsable).map(\.effective)
        let tried = links.filter { $0.stall?.isTrying == true && $0.state == .stalled }.map(\.effective)
        var wanted = usable + tried
        var returned: [LinkStatus] = []
        if usable.isEmpty, !applied.isEmpty {
            if deadSince == nil {
                deadSince = .now()
                askStalled()
            }
            wanted = applied.filter { status in
                !links.contains { $0.name == status.name && $0.isUnwanted }
            }
        } else if let since = deadSince {
            deadSince = nil
            // What else is wanted is added, which opens subflows as well.
            returned = usable.filter { status in
                applied.contains { $0.name == status.name && $0.addresses == status.addresses }
                    && addedAt[status.name].map { MonotonicTime.now().since($0) > Self.justNow } ?? true
            }
            if MonotonicTime.now().since(since) < Self.shortFault, hasHalfClosed(on: returned) { returned = [] }
        }
        reconcile(wanted)
        guard !returned.isEmpty else { return }
        let names = Set(returned.map(\.name))
        resetSubflows(sparing: usable.filter { !names.contains($0.name) })
        for link in returned { renew(link) }
    }

    private static let justNow: UInt64 = 300_000_000

    /// Makes rules and routes follow the links.
    mutating func route() {
        guard routing != nil, let table = monitor?.table else { return }
        let plan = SourceRoutingPlan(
            links.filter { $0.status.state == .up }.map { ($0.id, $0.status) }, in: table)
        for refusal in routing?.apply(plan) ?? [] { PathNotices(logger: logger).write(refusal) }
    }

    /// How long a fault of all links may last for half-closed connections to be left to the kernel's retransmissions, which
    /// then take no longer than the fault did.
    private static let shortFault: UInt64 = 1_000_000_000

    mutating func reconcile(_ wanted: [LinkStatus]) {
        let keep = Set(wanted.flatMap(\.addresses).map { $0.with(port: 0).host })
        let leaving = applied.flatMap(\.addresses).filter { !keep.contains($0.with(port: 0).host) }
        let urgency = leaving.isEmpty ? [:] : freeFirstSubflows(of: leaving)
        applied = wanted
        do throws(PathManagerError) {
            guard let report = try kernel?.keeper.reconcile(wanted, urgency: urgency) else { return }
            note(report)
            upkeep.took(report, .now())
            let added = report.done.compactMap { if case .add(let endpoint) = $0 { endpoint.address } else { nil } }
            for link in wanted
            where link.addresses.contains(where: { own in added.contains { own.isSameHost(as: $0) } }) {
                noteAdded(link.name)
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "changing endpoints")
            upkeep.failed(.now())
        }
    }

    /// Subflows should come to be now: that is looked after.
    private mutating func noteAdded(_ link: String) {
        addedAt[link] = .now()
        scheduleAudit(after: 500_000_000)
    }

    /// Closes every subflow on a link and opens new ones.
    mutating func renew(_ link: LinkStatus) {
        do throws(PathManagerError) {
            guard let report = try kernel?.keeper.renew(link) else { return }
            note(report)
            if !report.failed.isEmpty { upkeep.failed(.now()) }
            noteAdded(link.name)
        } catch {
            PathNotices(logger: logger).write(error, during: "renewing subflows")
        }
    }

    /// Resets what this host opened while all links were dead, before one that is back opens new subflows.
    ///
    /// Peers have data under way on these subflows, and their timers have doubled with each try; a reset is heard at once, by
    /// which that data is free for the new ones. Renewing alone says goodbye behind what nobody acknowledges. On links that
    /// are dead still they go too: the kernel would send there first what is freed here.
    ///
    /// - Parameter fresh: links whose subflows are new.
    private mutating func resetSubflows(sparing fresh: [LinkStatus]) {
        do throws(PathManagerError) {
            guard let subflows = try diagnostics?.subflows(), let connections = try diagnostics?.connections() else {
                return
            }
            // Only an established connection can open another.
            let open = Set(connections.filter { $0.state == .established }.map(\.token))
            for subflow in subflows
            where subflow.state == .established && subflow.isOpenedHere && open.contains(subflow.token) {
                let local = subflow.local.unmapped
                guard links.contains(where: { $0.has(local) }),
                    !fresh.contains(where: { $0.addresses.contains { $0.isSameHost(as: local) } })
                else { continue }
                try closeIfThere(subflow)
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "resetting subflows after an outage of all links")
        }
    }

    /// Closes a subflow; one that has ended meanwhile is as good as closed.
    mutating func closeIfThere(_ subflow: DiagnosedSubflow) throws(PathManagerError) {
        do throws(PathManagerError) {
            try diagnostics?.close(local: subflow.local, remote: subflow.remote, interface: subflow.interface)
        } catch {
            if case .notFound = error { return }
            throw error
        }
    }

    /// Closes the first subflows of connections that were dialled from these addresses, before their endpoints go.
    ///
    /// Removing an endpoint tells each peer so (REMOVE_ADDR), over the first subflow that looks alive: the very one that leads
    /// nowhere. Once that one is closed, the peer hears it over another, and sends its own data there too.
    ///
    /// - Returns: how many subflows each address has: the busiest endpoint is to go first.
    private mutating func freeFirstSubflows(of addresses: [SocketAddress]) -> [String: Int] {
        var counts: [String: Int] = [:]
        do throws(PathManagerError) {
            guard let subflows = try diagnostics?.subflows() else { return [:] }
            var elsewhere: Set<UInt32> = []
            for subflow in subflows where subflow.isEstablished && subflow.state == .established {
                let local = subflow.local.unmapped
                if addresses.contains(where: { $0.isSameHost(as: local) }) {
                    counts[local.host, default: 0] += 1
                } else {
                    elsewhere.insert(subflow.token)
                }
            }
            for subflow in subflows where subflow.isFirstDialled && elsewhere.contains(subflow.token) {
                let local = subflow.local.unmapped
                guard addresses.contains(where: { $0.isSameHost(as: local) }) else { continue }
                do throws(PathManagerError) {
                    try diagnostics?.close(
                        local: local, remote: subflow.remote, interface: subflow.interface)
                } catch {
                    // Gone meanwhile, or the kernel cannot: removing the endpoint closes it as well, only later for the peer.
                    continue
                }
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "listing subflows")
        }
        return counts
    }

    /// Whether a half-closed connection has all its subflows on these links.
    mutating func hasHalfClosed(on links: [LinkStatus]) -> Bool {
        do throws(PathManagerError) {
            guard let connections = try diagnostics?.connections() else { return false }
            let ending = Set(connections.filter { $0.state != .established }.map(\.token))
            if ending.isEmpty { return false }
            let addresses = links.flatMap(\.addresses)
            guard let subflows = try diagnostics?.subflows() else { return false }
            let alive = subflows.filter { ending.contains($0.token) && $0.state == .established }
            return Dictionary(grouping: alive, by: \.token).values.contains { subflows in
                subflows.allSatisfy { subflow in
                    addresses.contains { $0.isSameHost(as: subflow.local.unmapped) }
                }
            }
        } catch {
            PathNotices(logger: logger).write(error, during: "listing connections")
            return false
        }
    }

    mutating func note(_ report: EndpointKeeper.Report) {
        let notices = PathNotices(logger: logger)
        for notice in report.notices { notices.write(notice) }
        for (operation, error) in report.failed where upkeep.isNews("\(operation.text): \(error)") {
            notices.write(error, during: operation.text)
        }
        if report.notices.contains(where: \.isInterference) {
            // Who it may be is worth saying again when it does not end.
            if report.notices.contains(where: { if case .contested = $0 { true } else { false } }) { toldManagers = [] }
            noteOtherManagers()
        }
    }

    /// Says who else may change endpoints, each once.
    mutating func noteOtherManagers() {
        for manager in RunningManager.all() where toldManagers.insert(manager).inserted {
            PathNotices(logger: logger).write(manager)
        }
    }

    /// Puts back what somebody else took away.
    mutating func checkEndpoints(_ now: MonotonicTime) {
        upkeep.checked(now)
        guard !applied.isEmpty else { return }
        reconcile(applied)
    }

    /// Connections have come or gone: endpoints that somebody took away while there was none make no event.
    mutating func noteConnections() {
        guard kernel != nil else { return }
        upkeep.suspectSeldom(.now())
    }
}

extension EndpointOperation {
    /// For the log.
    var text: String {
        switch self {
        case .remove(let endpoint): "removing endpoint \(endpoint)"
        case .setBackup(let isBackup, let endpoint): "making endpoint \(endpoint) \(isBackup ? "backup" : "no backup")"
        case .reopen(let endpoint): "opening the subflows of endpoint \(endpoint) anew"
        case .setLimits(let limits):
            "setting limits (subflows \(limits.subflows), announced \(limits.acceptedAnnouncements))"
        case .add(let endpoint): "adding endpoint \(endpoint)"
        }
    }
}
