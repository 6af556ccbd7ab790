internal import Forwarding
internal import LinuxSystem
internal import MultipathTCP
internal import Paths
internal import SystemPackage

/// Subflows and links over which nothing gets through any more.
extension PathSupervisor {
    /// A try lasts so long while other links work: the kernel repeats a SYN after a second, so that a link which is back is
    /// noticed within that.
    private static let tryInterval: UInt64 = 1_400_000_000
    /// And so long when none does.
    private static let urgentTryInterval: UInt64 = 300_000_000
    /// While no link works, a half-closed connection is left its last subflow for so long: it cannot open another one.
    private static let halfClosedPatience: UInt64 = 10_000_000_000
    /// When all links seemed dead and were not, it was the peer: other such reports count for nothing for so long.
    private static let falseAlarmMemory: UInt64 = 30_000_000_000

    /// A subflow acknowledges nothing while another one of its connection works.
    ///
    /// When most connections that wait for an answer over its link wait in vain, the link is left; else that subflow is
    /// closed. Either way the kernel sends what was stuck over the others, at once.
    mutating func take(_ stall: SubflowStall, _ loops: borrowing LoopThreads) {
        if stall.leg == .client || kernel == nil {
            // What a peer opened is closed here as there, for each side only frees what it has sent itself. The peer opens a
            // new one. What this host opened stays when nobody here could open it again.
            if stall.leg == .client { close(stall) }
            return
        }
        guard let index = links.firstIndex(where: { $0.has(stall.local) }) else { return close(stall) }
        guard links[index].isUsable else { return }
        let hasOthers = links.indices.contains { $0 != index && links[$0].isUsable }
        guard hasOthers, stall.stuck * 2 >= stall.outstanding, !hasHalfClosed(on: [links[index].effective]) else {
            close(stall)
            return scheduleAudit(after: 300_000_000)
        }
        begin(index, isTrying: false)
        apply(loops)
    }

    /// No subflow of a connection acknowledges anything: all links are dead, or its peer is. Which of both, new subflows
    /// show: every link is tried at once.
    mutating func take(_ stall: ConnectionStall, _ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        guard kernel != nil, stall.leg == .upstream, deadSince == nil, now.since(falseAlarm) > Self.falseAlarmMemory
        else { return }
        for index in links.indices where links[index].isUsable && !links[index].status.configured.isAnnounced {
            begin(index, isTrying: true)
        }
        apply(loops)
    }

    private mutating func begin(_ index: Int, isTrying: Bool) {
        let now = MonotonicTime.now()
        let before = links[index]
        let pause = links[index].history.begin(now)
        links[index].stall = LinkStall(began: now, isTrying: isTrying, next: isTrying ? now : now + pause)
        PathNotices(logger: logger).write(from: before, to: links[index])
        listen()
    }

    private mutating func close(_ stall: SubflowStall) {
        do throws(PathManagerError) {
            try diagnostics?.close(local: stall.local, remote: stall.remote)
            PathNotices(logger: logger).write(stall, link: links.first { $0.has(stall.local) }?.name)
        } catch {
            switch error {
            // It has ended meanwhile, which is what was wanted.
            case .notFound: return
            case .needsNetAdmin, .unsupported:
                // It will be the same every time.
                diagnostics = nil
                PathNotices(logger: logger).write(error, during: "closing subflows that make no progress")
            default: PathNotices(logger: logger).write(error, during: "closing a subflow")
            }
        }
    }

    // MARK: Trying

    /// Links whose time to be tried has come.
    mutating func tryStalledLinks(_ now: MonotonicTime, _ loops: borrowing LoopThreads) {
        for index in links.indices {
            guard let stall = links[index].stall, stall.next <= now else { continue }
            if !stall.isTrying {
                links[index].stall?.isTrying = true
                links[index].stall?.next = now + Self.tryInterval
                apply(loops)
            } else {
                tryAgain(index, stall, loops)
            }
        }
    }

    private mutating func tryAgain(_ index: Int, _ stall: LinkStall, _ loops: borrowing LoopThreads) {
        let link = links[index].effective
        let state = trial(of: link)
        guard state == .unanswered else {
            // Established, or nobody is left to try with: then the next connection will show.
            return recover(index, loops)
        }
        let began = MonotonicTime.now()
        let isUrgent = deadSince != nil
        if !isUrgent || began.since(stall.began) > Self.halfClosedPatience || !hasHalfClosed(on: applied) {
            renew(link)
        }
        // With very many connections a try is work: at most a tenth of the time goes into it.
        let took = MonotonicTime.now().since(began)
        let interval = max(isUrgent ? Self.urgentTryInterval : Self.tryInterval, took * 10)
        links[index].stall?.next = began + interval
    }

    private enum Trial {
        case answered
        case unanswered
        case nobody
    }

    /// What became of the subflows that were opened over a link.
    private mutating func trial(of link: LinkStatus) -> Trial {
        do throws(PathManagerError) {
            guard let subflows = try diagnostics?.subflows(), let connections = try diagnostics?.connections() else {
                return .nobody
            }
            let since = addedAt[link.name]
            for subflow in subflows where subflow.state == .established && subflow.isOpenedHere && since != nil {
                guard link.addresses.contains(where: { $0.isSameHost(as: subflow.local.unmapped) }) else { continue }
                return .answered
            }
            let dialled = connections.contains { connection in
                connection.state == .established && dialledPorts.contains(connection.remote.port)
            }
            return dialled ? .unanswered : .nobody
        } catch {
            PathNotices(logger: logger).write(error, during: "listing subflows")
            return .unanswered
        }
    }

    /// A subflow joined from this address.
    mutating func noteJoined(from local: SocketAddress, _ loops: borrowing LoopThreads) {
        guard let index = links.firstIndex(where: { $0.has(local) }), links[index].stall?.isTrying == true else {
            return
        }
        recover(index, loops)
    }

    private mutating func recover(_ index: Int, _ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        if let dead = deadSince, now.since(dead) < Self.urgentTryInterval { falseAlarm = now }
        let before = links[index]
        links[index].stall = nil
        links[index].history.end(now)
        PathNotices(logger: logger).write(from: before, to: links[index])
        apply(loops)
        scheduleAudit(after: 300_000_000)
        listen()
    }
}
