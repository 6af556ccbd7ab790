internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// How the loop connects a client to an upstream. Every step is non-blocking; the slot's deadline drives what time drives.
extension EventLoop {
    mutating func startDial(_ slot: UInt32) {
        nextUpstream(slot)
    }

    /// Turns to the next member of the pool, or ends the connection when there is none left.
    mutating func nextUpstream(_ slot: UInt32) {
        let index = Int(slot)
        guard let relay = connections.slots[index]?.relay else { return }
        giveUpMember(slot, relay)
        while let upstream = chooseMember(slot, relay) {
            switch relays[relay].plan.upstreams[upstream].kind {
            case .echo:
                connections.slots[index]?.isEcho = true
                connections.slots[index]?.upstreamIndex = upstream
                return established(slot, relay)
            case .unix(let path):
                let deadline = now + relays[relay].plan.connectTimeout
                connections.slots[index]?.armDial(deadline)
                if dialUnix(slot, relay, path) { return }
            case .handed(let taker):
                if handOver(slot, relay, taker) { return }
            case .network, .convert:
                if beginNetwork(slot, relay, upstream) { return }
            case .direct:
                if race(slot, relay) { return }
            }
            giveUpMember(slot, relay)
        }
        if connections.slots[index]?.dial.wasRefused == true { return refuseDial(slot) }
        guard let error = connections.slots[index]?.dial.lastError else { return }
        if let handshake = connections.slots[index]?.handshake { return fail(slot, handshake, .dial(error)) }
        finish(slot, Connection.End(result: .connectFailed, error: error, reset: true))
    }

    // MARK: The race

    /// Gives the upstream its time and tries its first address.
    mutating func race(_ slot: UInt32, _ relay: Int) -> Bool {
        let deadline = now + relays[relay].plan.connectTimeout
        connections.slots[Int(slot)]?.armDial(deadline)
        orderLinks(slot, relay)
        return attempt(slot, relay)
    }

    /// Starts connecting to the next candidate that can be tried.
    ///
    /// - Returns: false when none is in flight or left: the upstream has failed.
    private mutating func attempt(_ slot: UInt32, _ relay: Int) -> Bool {
        let index = Int(slot)
        guard let upstream = connections.slots[index]?.dial.upstream else { return false }
        let targets = targets(slot, relay, upstream)
        let addresses = targets.count
        guard let links = connections.slots[index]?.dial.linkOrder.count else { return false }
        let count = addresses * max(1, links)
        while connections.slots[index]?.dial.hasRoom == true,
            let position = connections.slots[index]?.nextAddressIndex(count: count),
            let candidate = connections.slots[index]?.dial.candidate(position, addresses: addresses)
        {
            let target = targets[candidate.address]
            guard let source = sourceAddress(candidate.link, target) else { continue }
            do throws(Errno) {
                let dialled = try dialSocket(relay, upstream, target, from: source, slot)
                let isMultipath = dialled.isMultipath
                if try dialled.socket.connect(to: target) {
                    guard
                        mayUse(
                            slot, relay, upstream, dialled.socket.raw, isMultipath: isMultipath, target, candidate.link)
                    else { continue }
                    won(slot, relay, upstream, dialled.release(), isMultipath: isMultipath, target, watched: false)
                    return true
                }
                try watchAttempt(slot, dialled, candidate.address, candidate.link)
                let more = position + 1 < count
                let next: MonotonicTime = more ? now + relays[relay].plan.raceDelay : .never
                connections.slots[index]?.dial.nextAttempt = next
                timers.schedule(index, at: connections.slots[index]?.dial.deadline ?? .never)
                return true
            } catch {
                ranking.failed(candidate.link, now: now)
                connections.slots[index]?.dial.lastError = error
            }
        }
        connections.slots[index]?.dial.nextAttempt = .never
        return (connections.slots[index]?.dial.inFlight ?? 0) > 0
    }

    private mutating func watchAttempt(
        _ slot: UInt32, _ dialled: consuming DialSocket, _ address: Int, _ link: Int8
    ) throws(Errno) {
        let isMultipath = dialled.isMultipath
        let raw = dialled.release()
        let now = self.now
        guard
            let attempt = connections.slots[Int(slot)]?.dial.add(
                raw, address: address, link: link, isMultipath: isMultipath, now: now),
            let generation = connections.slots[Int(slot)]?.generation
        else {
            linux_close(raw)
            throw .resourceTemporarilyUnavailable
        }
        let tag = EventTag(kind: .attempt, index: attempt, generation: generation)
        do throws(Errno) {
            try poller.add(raw, .writable, EventToken(slot: slot, tag: tag.rawValue))
        } catch {
            connections.slots[Int(slot)]?.dial.cancel(attempt)
            throw error
        }
    }

    /// Whether a socket that has connected may be used, or is refused because it is not multipath.
    private mutating func mayUse(
        _ slot: UInt32, _ relay: Int, _ upstream: Int, _ raw: CInt, isMultipath: Bool, _ target: SocketAddress,
        _ link: Int8
    ) -> Bool {
        let wantsMultipath = relays[relay].plan.upstreams[upstream].kind.streamProtocol == .mptcp
        if examineDialled(slot, relay, raw, isMultipath: isMultipath, wantsMultipath: wantsMultipath, link: link) {
            return true
        }
        // For the record, should no other do better.
        connections.slots[Int(slot)]?.upstreamIndex = upstream
        connections.slots[Int(slot)]?.upstreamAddress = target
        return false
    }

    /// The kernel has decided one attempt.
    mutating func attemptDecided(_ slot: UInt32, _ attemptIndex: Int, _ readiness: Readiness) {
        let index = Int(slot)
        guard let relay = connections.slots[index]?.relay, connections.slots[index]?.phase == .dialing,
            let raw = connections.slots[index]?.dial.socket(attemptIndex), raw >= 0,
            let upstream = connections.slots[index]?.dial.upstream
        else { return }
        if readiness.isDisjoint(with: [.failed, .hungUp]) {
            guard let isMultipath = connections.slots[index]?.dial.isMultipath(attemptIndex),
                let address = connections.slots[index]?.dial.address(attemptIndex),
                let link = connections.slots[index]?.dial.link(attemptIndex),
                let started = connections.slots[index]?.dial.started(attemptIndex)
            else { return }
            let addresses = targets(slot, relay, upstream)
            let target = address < addresses.count ? addresses[address] : .none
            guard mayUse(slot, relay, upstream, raw, isMultipath: isMultipath, target, link) else {
                connections.slots[index]?.dial.cancel(attemptIndex)
                if !attempt(slot, relay) { nextUpstream(slot) }
                return
            }
            guard let taken = connections.slots[index]?.dial.take(attemptIndex) else { return }
            linkWon(slot, link, after: now.since(started))
            return won(slot, relay, upstream, taken, isMultipath: isMultipath, target, watched: true)
        }
        var value: CInt = 0
        _ = unsafe linux_get_option(raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_ERROR), &value)
        connections.slots[index]?.dial.lastError = value == 0 ? .connectionRefused : Errno(rawValue: value)
        if let link = connections.slots[index]?.dial.link(attemptIndex) { linkFailed(link, Errno(rawValue: value)) }
        connections.slots[index]?.dial.cancel(attemptIndex)
        if !attempt(slot, relay) { nextUpstream(slot) }
    }

    /// Time has come for the next address, or has run out for this upstream.
    mutating func dialDeadline(_ slot: UInt32) {
        let index = Int(slot)
        guard let relay = connections.slots[index]?.relay, let upstream = connections.slots[index]?.dial.upstream,
            let phase = connections.slots[index]?.phase
        else { return }
        if phase == .resolving {
            relays[relay].upstreams[upstream].isLate = true
            return resolved(slot, relay)
        }
        watchClient(slot)
        guard connections.slots[index] != nil else { return }
        if let deadline = connections.slots[index]?.dial.upstreamDeadline, deadline <= now {
            linksTimedOut(slot)
            connections.slots[index]?.dial.cancelAll()
            connections.slots[index]?.dial.lastError = .timedOut
            return nextUpstream(slot)
        }
        if case .unix(let path) = relays[relay].plan.upstreams[upstream].kind {
            if !dialUnix(slot, relay, path) { nextUpstream(slot) }
            return
        }
        if !attempt(slot, relay) { return nextUpstream(slot) }
        if connections.slots[index]?.phase == .dialing {
            timers.schedule(index, at: connections.slots[index]?.dial.deadline ?? .never)
        }
    }

    /// A dial that takes long must notice that its client is gone; one that does not is not worth the call.
    private mutating func watchClient(_ slot: UInt32) {
        let index = Int(slot)
        guard let token = connections.slots[index]?.token(.client), connections.slots[index]?.client.interest == nil
        else {
            return
        }
        do throws(Errno) {
            try connections.slots[index]?.client.watch([], token, poller)
        } catch {
            finish(slot, Connection.End(result: .outOfDescriptors, error: error, reset: true))
        }
    }

    mutating func clientEventWhileDialing(_ slot: UInt32, _ readiness: Readiness) {
        guard readiness.contains(.failed), let error = connections.slots[Int(slot)]?.client.pendingError() else {
            return
        }
        finish(slot, Connection.End(result: .clientReset, error: error, reset: true))
    }

    // MARK: Unix upstreams

    /// - Returns: false when it has failed.
    private mutating func dialUnix(_ slot: UInt32, _ relay: Int, _ path: String) -> Bool {
        let index = Int(slot)
        guard let upstream = connections.slots[index]?.dial.upstream else { return false }
        do throws(Errno) {
            let socket = try Socket.unixStream()
            _ = try socket.connect(toPath: path)
            won(slot, relay, upstream, socket.release(), isMultipath: false, .unix, watched: false)
            return true
        } catch {
            connections.slots[index]?.dial.lastError = error
            // The listener's backlog is full: a Unix socket does not queue the connect, so it is asked again.
            guard error == .wouldBlock, let deadline = connections.slots[index]?.dial.upstreamDeadline else {
                return false
            }
            timers.schedule(index, at: min(deadline, now + Tuning.unixRetryNanoseconds))
            return true
        }
    }

    // MARK: Upstreams in this process

    /// - Returns: false when there are no descriptors for it.
    private mutating func handOver(_ slot: UInt32, _ relay: Int, _ taker: ConnectionTaker) -> Bool {
        guard let upstream = connections.slots[Int(slot)]?.dial.upstream else { return false }
        do throws(Errno) {
            let socket = try SocketPair().split { taker.hand(over: $0) }
            won(slot, relay, upstream, socket.release(), isMultipath: false, .unix, watched: false)
            return true
        } catch {
            connections.slots[Int(slot)]?.dial.lastError = error
            return false
        }
    }

    // MARK: Connected

    private mutating func won(
        _ slot: UInt32, _ relay: Int, _ upstream: Int, _ raw: CInt, isMultipath: Bool, _ address: SocketAddress,
        watched: Bool
    ) {
        let index = Int(slot)
        let noDelay = relays[relay].plan.upstreamSocket.noDelay != .never && address.family != .unix
        connections.slots[index]?.upstream = Side(owning: raw, isMultipathSocket: isMultipath, noDelay: noDelay)
        // An attempt is in the poller already, for another kind of event.
        if watched { connections.slots[index]?.upstream.interest = .writable }
        connections.slots[index]?.dial.cancelAll()
        connections.slots[index]?.upstreamIndex = upstream
        connections.slots[index]?.upstreamAddress = address
        established(slot, relay)
    }

    private mutating func established(_ slot: UInt32, _ relay: Int) {
        if relays[relay].introduces || connections.slots[Int(slot)]?.handshake != nil { return introduce(slot, relay) }
        startRelaying(slot, relay)
    }

    /// The addresses that a dial tries: the upstream's, or those that the client has chosen.
    mutating func targets(_ slot: UInt32, _ relay: Int, _ upstream: Int) -> [SocketAddress] {
        if case .direct = relays[relay].plan.upstreams[upstream].kind {
            return connections.slots[Int(slot)]?.handshake?.addresses ?? []
        }
        return memberAddresses(slot, relay)
    }

    mutating func startRelaying(_ slot: UInt32, _ relay: Int) {
        timers.cancel(Int(slot))
        memberConnected(slot, relay)
        let noDelay = relays[relay].followsNoDelay
        let isLimited = relays[relay].isLimited
        let introducesTLS = connections.slots[Int(slot)]?.upstream.tls != nil
        let id = connections.slots[Int(slot)]?.id
        // Under a bandwidth limit the client's first bytes wait for their turn as well.
        if isLimited {
            connections.slots[Int(slot)]?.setLimit(.client, Connection.readsWhenTold)
            connections.slots[Int(slot)]?.setLimit(.upstream, Connection.readsWhenTold)
        }
        guard
            let served = connections.slots[Int(slot)]?.begin(
                noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        else { return }
        countOpening(slot, relay)
        settle(slot, relay, served)
        if isLimited, served.end == nil { serveLimited(slot, relay, .client, .readable) }
        if introducesTLS { readSealedUpstream(slot, relay, id) }
    }
}
