internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// After dialling: what the upstream has to know before data, and what the client has waited for.
extension EventLoop {
    /// An upstream is connected (or is an echo): says what is to be said, and relays.
    mutating func introduce(_ slot: UInt32, _ relay: Int) {
        let index = Int(slot)
        timers.cancel(index)
        let plan = relays[relay].plan.handshake
        guard let upstream = connections.slots[index]?.upstreamIndex, let isEcho = connections.slots[index]?.isEcho
        else {
            return
        }
        let isConverter = relays[relay].plan.upstreams[upstream].kind.isConverter
        let handshake: Handshake
        if let present = connections.slots[index]?.handshake {
            handshake = present
        } else {
            guard plan.sendProxy != nil || wantsUpstreamTLS(slot, relay), !isEcho else {
                return startRelaying(slot, relay)
            }
            handshake = Handshake(.plain, step: .upstream, began: now, deadline: .never)
            connections.slots[index]?.handshake = handshake
        }
        handshake.preamble = []
        handshake.preambleSent = 0
        if isEcho {
            guard handshake.input.isEmpty || answer(slot, handshake.input) else { return }
            count(slot, relay, up: handshake.input.count)
            return complete(slot, relay, handshake)
        }
        // A PROXY header is for the upstream itself, before TLS; through a converter it is for who is behind it.
        let header = plan.sendProxy.map { proxyHeader(slot, handshake, $0, plan.tag) } ?? []
        connections.slots[index]?.phase = .handshake
        timers.schedule(index, at: now + plan.timeout)
        if wantsUpstreamTLS(slot, relay) {
            if !isConverter { handshake.preamble = header }
        } else {
            prepareData(slot, handshake, plan, header: header, isConverter: isConverter)
        }
        handshake.step = .preamble
        sendPreamble(slot, relay, handshake)
    }

    /// TLS with the upstream stands: what is left to be said goes through it.
    mutating func introduceSealed(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let plan = relays[relay].plan.handshake
        guard let upstream = connections.slots[Int(slot)]?.upstreamIndex else { return }
        let isConverter = relays[relay].plan.upstreams[upstream].kind.isConverter
        let header =
            isConverter ? plan.sendProxy.map { proxyHeader(slot, handshake, $0, plan.tag) } ?? [] : []
        handshake.preamble = []
        handshake.preambleSent = 0
        prepareData(slot, handshake, plan, header: header, isConverter: isConverter)
        handshake.step = .preamble
        sendPreamble(slot, relay, handshake)
    }

    private mutating func prepareData(
        _ slot: UInt32, _ handshake: Handshake, _ plan: HandshakePlan, header: [UInt8], isConverter: Bool
    ) {
        if isConverter { handshake.preamble = convertRequest(handshake, plan) }
        handshake.preamble += header
        if isConverter, handshake.isMute { readAhead(slot, handshake) }
        handshake.preamble += handshake.input
    }

    /// Something happened to the upstream's socket.
    mutating func upstreamEvent(_ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ readiness: Readiness) {
        switch handshake.step {
        case .preamble: sendPreamble(slot, relay, handshake)
        case .upstreamTLS: advanceUpstreamTLS(slot, relay, handshake)
        case .convertAnswer: readConvertAnswer(slot, relay, handshake)
        default: break
        }
    }

    private mutating func sendPreamble(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let index = Int(slot)
        guard let channel = connections.slots[index]?.upstream.channel else { return }
        while handshake.preambleSent < handshake.preamble.count {
            let sent = unsafe handshake.preamble.withUnsafeBytes { bytes in
                unsafe channel.send(
                    bytes.baseAddress?.advanced(by: handshake.preambleSent), bytes.count - handshake.preambleSent)
            }
            if sent == Int64(-Errno.wouldBlock.rawValue) { return watchUpstream(slot, .writable) }
            guard sent >= 0 else { return upstreamFailed(slot, relay, handshake, Errno(rawValue: CInt(-sent))) }
            handshake.preambleSent += Int(sent)
        }
        guard let upstream = connections.slots[index]?.upstreamIndex else { return }
        if wantsUpstreamTLS(slot, relay) { return greetUpstreamTLS(slot, relay, handshake) }
        if relays[relay].plan.upstreams[upstream].kind.isConverter {
            handshake.step = .convertAnswer
            handshake.answer = []
            timers.schedule(index, at: now + relays[relay].plan.connectTimeout)
            watchUpstream(slot, .readable)
            return
        }
        count(slot, relay, up: handshake.input.count)
        complete(slot, relay, handshake)
    }

    mutating func watchUpstream(_ slot: UInt32, _ readiness: Readiness) {
        guard let token = connections.slots[Int(slot)]?.token(.upstream) else { return }
        do throws(Errno) {
            try connections.slots[Int(slot)]?.upstream.watch(readiness, token, poller)
        } catch {
            finish(slot, Connection.End(result: .outOfDescriptors, error: error, reset: true))
        }
    }

    /// The upstream is connected and then fails before data: the next one may do better. Nothing of the client's is lost, for
    /// `input` keeps it.
    mutating func upstreamFailed(_ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ error: Errno) {
        connections.slots[Int(slot)]?.dial.lastError = error
        again(slot, handshake)
        nextUpstream(slot)
    }

    /// Back to dialling.
    mutating func again(_ slot: UInt32, _ handshake: Handshake) {
        connections.slots[Int(slot)]?.upstream = .absent
        connections.slots[Int(slot)]?.phase = .dialing
        connections.slots[Int(slot)]?.upstreamIndex = -1
        connections.slots[Int(slot)]?.upstreamAddress = .none
        handshake.step = .upstream
        timers.cancel(Int(slot))
    }

    // MARK: PROXY

    private mutating func proxyHeader(
        _ slot: UInt32, _ handshake: Handshake, _ version: HandshakePlan.ProxyVersion, _ tag: [UInt8]
    ) -> [UInt8] {
        let index = Int(slot)
        guard let client = connections.slots[index]?.client.raw, let id = connections.slots[index]?.id else {
            return []
        }
        var header = ProxyHeader(addresses: nil)
        if let source = connections.slots[index]?.clientAddress.endpoint {
            var c = linux_address()
            let own = unsafe linux_local_address(client, &c) == 0 ? SocketAddress(c).endpoint : nil
            let chosen = handshake.addresses.first?.endpoint
            if let destination = chosen ?? handshake.proxied?.addresses?.destination ?? own {
                header.addresses = .init(source: source, destination: destination)
            }
        }
        if version == .v1 { return header.line() }
        if let known = handshake.proxied?.uniqueID {
            header.items.append(.init(type: ProxyHeader.Item.uniqueID, value: known))
        } else {
            header.items.append(.init(type: ProxyHeader.Item.uniqueID, value: tag + Array("-\(id)".utf8)))
        }
        if version == .v2Multipath {
            let subflows =
                connections.slots[index]?.client.isMultipathSocket == true ? linux_multipath_subflows(client) : 0
            header.append(
                subflows > 0
                    ? .init(isMultipath: true, subflows: UInt8(clamping: subflows))
                    : .init(isMultipath: false, subflows: 0))
        }
        return header.binary()
    }

    // MARK: Relaying

    /// Everything was said: the client learns that it is connected, and data flow.
    mutating func complete(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let bytes = success(slot, handshake)
        guard bytes.isEmpty || answer(slot, bytes) else { return }
        // An upstream that was tried before may have been the reason of it.
        if connections.slots[Int(slot)]?.notes?.refusal != nil { note(slot, handshake) }
        connections.slots[Int(slot)]?.handshake = nil
        startRelaying(slot, relay)
    }

    private mutating func success(_ slot: UInt32, _ handshake: Handshake) -> [UInt8] {
        switch handshake.kind {
        case .plain, .transparent: return []
        case .http: return HTTPConnect.response(.connected)
        case .convert:
            return ConvertMessage(handshake.asksForExtensions ? [ConvertMessage.supportedExtensions] : []).bytes()
        case .socks5:
            var c = linux_address()
            let raw = connections.slots[Int(slot)]?.upstream.raw ?? -1
            let bound = unsafe raw >= 0 && linux_local_address(raw, &c) == 0 ? SocketAddress(c).endpoint : nil
            return SOCKS5.reply(.succeeded, bound: bound)
        }
    }

    /// Counts bytes that went before data flowed.
    mutating func count(_ slot: UInt32, _ relay: Int, up: Int) {
        connections.slots[Int(slot)]?.up.credit(up)
        relays[relay].counters.bytesUp &+= UInt64(up)
        relays[relay].dirty = true
    }
}
