internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import SystemPackage

/// Subflows and links over which nothing gets through any more.
extension PathSupervisor {
    /// A try lasts so long while other links work: the kernel repeats a SYN after a second, so that a link which is back is
    /// noticed within that.
    private static let tryInterval: UInt64 = 1_400_000_000
    /// How often it is asked over each link while none works; after a minute less often.
    private static let probeInterval: UInt64 = 100_000_000
    private static let lateProbeInterval: UInt64 = 500_000_000
    /// The part of that after which it is looked whether an answer has come: each wait is one for every connection.
    private static let looksPerProbe: UInt64 = 5
    /// When all links seemed dead and were not, it was the peer: other such reports count for nothing for so long.
    private static let falseAlarmWithin: UInt64 = 350_000_000
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

    /// No subflow of a connection acknowledges anything: all links are dead, or its peer is. Whether anybody answers is asked
    /// over every link.
    mutating func take(_ stall: ConnectionStall, _ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        guard kernel != nil, stall.leg == .upstream, deadSince == nil, now.since(falseAlarm) > Self.falseAlarmMemory
        else { return }
        for index in links.indices where links[index].isUsable && !links[index].status.configured.isAnnounced {
            begin(index, isTrying: true)
        }
        apply(loops)
    }

    /// No link is left: those that stalled before, and were left alone for a while, are asked over now.
    mutating func askStalled() {
        let now = MonotonicTime.now()
        for index in links.indices where links[index].stall != nil {
            links[index].stall?.isTrying = true
            links[index].stall?.next = now
        }
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
                links[index].stall?.isRenewed = true
                links[index].stall?.next = now + Self.tryInterval
                apply(loops)
            } else {
                tryAgain(index, stall, loops)
            }
        }
    }

    private mutating func tryAgain(_ index: Int, _ stall: LinkStall, _ loops: borrowing LoopThreads) {
        if deadSince != nil { return ask(index, loops) }
        let link = links[index].effective
        switch trial(of: link) {
        case .answered where stall.isRenewed: return recover(index, loops)
        // Nobody is left to try with: the next connection will show.
        case .nobody: return recover(index, loops)
        case .answered, .unanswered: break
        }
        let began = MonotonicTime.now()
        renew(link)
        links[index].stall?.isRenewed = true
        // With very many connections a try is work: at most a tenth of the time goes into it.
        let took = MonotonicTime.now().since(began)
        links[index].stall?.next = began + max(Self.tryInterval, took * 10)
    }

    /// No link works: waits for an answer over this one, without touching what is left of the connections.
    private mutating func ask(_ index: Int, _ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        let id = links[index].id
        if probes.isAnswered(id) {
            // It was not the link, but a peer: nobody's subflows are renewed for that. A link that stalled before says nothing
            // of the sort: it was back already, and nobody had noticed.
            if let dead = deadSince, now.since(dead) < Self.falseAlarmWithin,
                let began = links[index].stall?.began, dead.since(began) < Self.falseAlarmWithin
            {
                falseAlarm = now
                addedAt[links[index].name] = now
            }
            return recover(index, loops)
        }
        let isLate = deadSince.map { now.since($0) > 60_000_000_000 } ?? false
        let interval = isLate ? Self.lateProbeInterval : Self.probeInterval
        links[index].stall?.next = now + interval / Self.looksPerProbe
        if let asked = links[index].stall?.asked, now.since(asked) < interval { return }
        links[index].stall?.asked = now
        let status = links[index].effective
        guard let peers = peers(), !peers.isEmpty else { return recover(index, loops) }
        for peer in peers {
            guard let source = status.addresses.first(where: { $0.family == peer.family }) else { continue }
            do throws(Errno) {
                try probes.ask(id, peer, from: source, by: status.interfaceName)
            } catch {
                logger.debug("\(status.name) cannot be tried: \(error)")
            }
        }
    }

    /// Whom connections of this host are dialled to: two are enough to ask.
    private mutating func peers() -> [SocketAddress]? {
        do throws(PathManagerError) {
            let connections = try diagnostics?.connections() ?? []
            var peers: [SocketAddress] = []
            for connection in connections where connection.state == .established {
                let peer = connection.remote.unmapped
                guard dialledPorts.contains(peer.port), !peer.isLoopback, !peers.contains(peer) else { continue }
                peers.append(peer)
                if peers.count == 2 { break }
            }
            return peers
        } catch {
            PathNotices(logger: logger).write(error, during: "listing connections")
            return nil
        }
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
            for subflow in subflows where subflow.state == .established && subflow.isOpenedHere {
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
        guard let index = links.firstIndex(where: { $0.has(local) }), links[index].stall?.isRenewed == true else {
            return
        }
        recover(index, loops)
    }

    private mutating func recover(_ index: Int, _ loops: borrowing LoopThreads) {
        let now = MonotonicTime.now()
        let before = links[index]
        probes.end()
        links[index].stall = nil
        links[index].history.end(now)
        PathNotices(logger: logger).write(from: before, to: links[index])
        apply(loops)
        scheduleAudit(after: 300_000_000)
        listen()
    }
}
