internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import TLS
internal import Wire

/// Before dialling: who the client is and where it wants to go. Everything a client says is bounded in size by its parser and
/// in time by `handshake-timeout`; what it sends after that stays in `Handshake.input` until the upstream takes it.
extension EventLoop {
    /// Begins with a client that was accepted.
    mutating func greet(_ slot: UInt32, _ relay: Int, _ kind: ListenerKind) {
        if relays[relay].plan.handshake.guardsClients {
            guard admit(slot, relay) else { return }
        } else if kind == .plain, relays[relay].plan.handshake.clientTLS == nil {
            return startDial(slot)
        }
        let handshake = Handshake(
            kind, step: .turn, began: now, deadline: now + relays[relay].plan.handshake.timeout)
        guard relays[relay].plan.handshake.acceptsProxy else { return letIn(slot, relay, handshake) }
        // Whose place and turn it takes, the header says.
        handshake.step = .proxyHeader
        install(handshake, slot)
        timers.schedule(Int(slot), at: handshake.deadline)
        readOn(slot, relay, handshake)
    }

    private mutating func install(_ handshake: Handshake, _ slot: UInt32) {
        connections.slots[Int(slot)]?.handshake = handshake
        connections.slots[Int(slot)]?.phase = .handshake
    }

    /// It is known who the client is, and that it may come: it takes its place among its own connections, and its turn.
    private mutating func letIn(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let plan = relays[relay].plan.handshake
        let client = connections.slots[Int(slot)]?.clientAddress ?? .none
        // Clients of Unix sockets have no address to tell them apart by.
        if let limit = plan.clientLimit, client.endpoint != nil {
            let key = ClientKey(client)
            guard limit.enter(key) else {
                return refuse(slot, "it has as many connections as it may (max-connections-per-client)")
            }
            connections.slots[Int(slot)]?.clientPlace = key
        }
        if let rate = plan.connectionRate {
            guard let start = rate.reserve(for: client, now: now, patience: plan.timeout) else {
                return refuse(slot, "it comes too often (rate-limit)")
            }
            if start > now {
                handshake.step = .turn
                install(handshake, slot)
                if connections.slots[Int(slot)]?.client.interest != nil { watchClient(slot, []) }
                guard connections.slots[Int(slot)] != nil else { return }
                timers.schedule(Int(slot), at: start)
                return
            }
        }
        hear(slot, relay, handshake)
    }

    /// Whether the client may come in at all, by the address that it really has.
    private mutating func admit(_ slot: UInt32, _ relay: Int) -> Bool {
        let plan = relays[relay].plan.handshake
        guard let client = connections.slots[Int(slot)]?.clientAddress else { return false }
        let address = client.endpoint?.address
        if plan.acceptsProxy {
            if plan.trustedProxies.isEmpty { return true }
            if let address, plan.trustedProxies.contains(address) { return true }
            if address == nil { return true }
            refuse(slot, "its PROXY header would not be believed (trusted-proxies)")
            return false
        }
        if plan.access.admits(address) { return true }
        refuse(slot, "its address is not let in (allow, deny)")
        return false
    }

    /// Ends a connection that nothing was read from.
    mutating func refuse(_ slot: UInt32, _ why: String) {
        connections.slots[Int(slot)]?.notes = ConnectionNotes(refusal: why)
        finish(slot, Connection.End(result: .refused, error: .permissionDenied, reset: true))
    }

    /// Turns to TLS, and then to what the client says first about where it wants to go.
    mutating func hear(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        if let context = relays[relay].plan.handshake.clientTLS, !handshake.isClientSealed {
            install(handshake, slot)
            queue(slot, relay, handshake)
            return greetClientTLS(slot, relay, handshake, context)
        }
        let isInstalled = connections.slots[Int(slot)]?.handshake != nil
        guard let step = Handshake.firstStep(handshake.kind) else {
            if !isInstalled, handshake.kind == .plain { return startDial(slot) }
            install(handshake, slot)
            if handshake.kind == .transparent { return takeOriginalDestination(slot, relay, handshake) }
            return dial(slot, handshake)
        }
        handshake.step = step
        install(handshake, slot)
        timers.schedule(Int(slot), at: handshake.deadline)
        readOn(slot, relay, handshake)
    }

    /// Reads the client's next message, of which some may be there.
    mutating func readOn(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        queue(slot, relay, handshake)
        watchClient(slot, .readable)
        guard connections.slots[Int(slot)] != nil else { return }
        if !handshake.input.isEmpty { advance(slot, relay, handshake) }
        // What came together with the end of the TLS handshake, or with the message before, is told of by no event.
        guard handshake.isClientSealed, handshake.readsClient, connections.slots[Int(slot)]?.handshake === handshake
        else { return }
        readClient(slot, relay, handshake)
    }

    /// Puts it among those who make room when there is none.
    private mutating func queue(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard !handshake.isQueued, let token = connections.slots[Int(slot)]?.token(.client) else { return }
        handshake.isQueued = true
        relays[relay].handshakes.append(token)
    }

    /// What the client of a handshake is watched for; nothing still tells that it is gone.
    mutating func watchClient(_ slot: UInt32, _ readiness: Readiness) {
        guard let token = connections.slots[Int(slot)]?.token(.client) else { return }
        do throws(Errno) {
            try connections.slots[Int(slot)]?.client.watch(readiness, token, poller)
        } catch {
            finish(slot, Connection.End(result: .outOfDescriptors, error: error, reset: true))
        }
    }

    // MARK: Events

    /// Something happened to a connection that neither dials nor relays.
    mutating func handshakeEvent(_ slot: UInt32, _ side: SideName, _ readiness: Readiness) {
        let index = Int(slot)
        guard let relay = connections.slots[index]?.relay, let handshake = connections.slots[index]?.handshake else {
            return
        }
        if side == .upstream { return upstreamEvent(slot, relay, handshake, readiness) }
        if handshake.step == .farewell { return sayFarewell(slot, handshake) }
        if readiness.contains(.failed), let error = connections.slots[index]?.client.pendingError() {
            return finish(slot, Connection.End(result: .clientReset, error: error, reset: true))
        }
        if handshake.step == .clientTLS { return advanceClientTLS(slot, relay, handshake) }
        if handshake.readsClient { readClient(slot, relay, handshake) }
    }

    private mutating func readClient(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard let channel = connections.slots[Int(slot)]?.client.channel else { return }
        let scratch = unsafe carriers.scratch
        let answer = unsafe channel.receive(scratch.baseAddress, min(scratch.count, Tuning.handshakeRead))
        guard answer > 0 else {
            if answer == Int64(-Errno.wouldBlock.rawValue) { return }
            let error = Errno(rawValue: CInt(-answer))
            let end =
                answer == 0
                ? Connection.End(result: .handshakeFailed, reset: true)
                : Connection.End(result: .clientReset, error: error, reset: true)
            return finish(slot, end)
        }
        unsafe handshake.input.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<Int(answer)]))
        advance(slot, relay, handshake)
        // What TLS has read ahead; the parsers bound it.
        guard handshake.readsClient, connections.slots[Int(slot)]?.handshake === handshake,
            connections.slots[Int(slot)]?.client.tls?.hasMore == true
        else { return }
        readClient(slot, relay, handshake)
    }

    /// Reads as many messages as have come.
    mutating func advance(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let goesOn: Bool =
            switch handshake.step {
            case .proxyHeader: takeProxyHeader(slot, relay, handshake)
            case .socksGreeting: takeSOCKSGreeting(slot, relay, handshake)
            case .socksCredentials: takeSOCKSCredentials(slot, relay, handshake)
            case .socksRequest: takeSOCKSRequest(slot, relay, handshake)
            case .httpHead: takeHTTPHead(slot, relay, handshake)
            case .convertRequest: takeConvertRequest(slot, relay, handshake)
            case .turn, .clientTLS, .userCheck, .resolution, .upstream, .upstreamTLS, .preamble, .convertAnswer,
                .farewell:
                false
            }
        if goesOn {
            if handshake.readsClient, !handshake.input.isEmpty { return advance(slot, relay, handshake) }
            if handshake.readsClient { watchClient(slot, .readable) }
        }
    }

    // MARK: PROXY

    /// - Returns: true when the next message can be read.
    private mutating func takeProxyHeader(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch ProxyHeader.parse(handshake.input.span) {
        case .needMore: return false
        case .malformed(let fault):
            connections.slots[Int(slot)]?.notes = ConnectionNotes(refusal: fault.reason)
            finish(slot, Connection.End(result: .handshakeFailed, error: .badMessage, reset: true))
            return false
        case .complete(let header, let length):
            handshake.consume(length)
            handshake.proxied = header
            if let addresses = header.addresses {
                connections.slots[Int(slot)]?.clientAddress = SocketAddress(addresses.source)
            }
            // Without addresses (LOCAL, UNKNOWN) it speaks for itself: the connection's own count.
            let client = connections.slots[Int(slot)]?.clientAddress.endpoint?.address
            guard relays[relay].plan.handshake.access.admits(client) else {
                refuse(slot, "the client's address is not let in (allow, deny)")
                return false
            }
            letIn(slot, relay, handshake)
            return false
        }
    }

    // MARK: Time

    /// The time of a handshake's step is over.
    mutating func handshakeDeadline(_ slot: UInt32) {
        guard let relay = connections.slots[Int(slot)]?.relay, let handshake = connections.slots[Int(slot)]?.handshake
        else { return }
        switch handshake.step {
        case .turn:
            handshake.began = now
            handshake.deadline = now + relays[relay].plan.handshake.timeout
            hear(slot, relay, handshake)
        case .farewell: finish(slot, handshake.end)
        case .upstreamTLS, .preamble, .convertAnswer: upstreamFailed(slot, relay, handshake, .timedOut)
        case .resolution: fail(slot, handshake, .dial(.timedOut))
        case .userCheck: fail(slot, handshake, .dial(.timedOut))
        case .upstream: break
        case .proxyHeader, .clientTLS, .socksGreeting, .socksCredentials, .socksRequest, .httpHead, .convertRequest:
            finish(slot, Connection.End(result: .handshakeTimeout, error: .timedOut, reset: true))
        }
    }

    /// Reads no more of the client and turns to the upstream.
    mutating func dial(_ slot: UInt32, _ handshake: Handshake) {
        handshake.step = .upstream
        timers.cancel(Int(slot))
        // Nothing was watched when nothing was read; otherwise what comes now would be told again and again.
        if connections.slots[Int(slot)]?.client.interest != nil { watchClient(slot, []) }
        guard connections.slots[Int(slot)] != nil else { return }
        connections.slots[Int(slot)]?.phase = .dialing
        startDial(slot)
    }
}
