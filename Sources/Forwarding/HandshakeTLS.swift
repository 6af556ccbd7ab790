internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import TLS
internal import Wire

/// TLS (RFC 8446) before anything that is to be kept from others: after a PROXY header, before all that follows it.
extension EventLoop {
    // MARK: With the client

    /// Begins TLS with the client; what it has sent after a PROXY header is the beginning of it.
    mutating func greetClientTLS(_ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ context: TLSContext) {
        guard let raw = connections.slots[Int(slot)]?.client.raw else { return }
        guard let session = context.begin(raw, early: handshake.input) else {
            return finish(slot, Connection.End(result: .handshakeFailed, error: .noMemory, reset: true))
        }
        connections.slots[Int(slot)]?.client.tls = session
        handshake.input = []
        handshake.looked = 0
        handshake.step = .clientTLS
        timers.schedule(Int(slot), at: handshake.deadline)
        advanceClientTLS(slot, relay, handshake)
    }

    mutating func advanceClientTLS(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard let session = connections.slots[Int(slot)]?.client.tls else { return }
        let answer = session.handshake()
        if answer == 0 {
            handshake.isClientSealed = true
            return hear(slot, relay, handshake)
        }
        let error = Errno(rawValue: -answer)
        if error == .wouldBlock { return watchClient(slot, session.hasUnsent ? [.readable, .writable] : .readable) }
        let words = session.failure
        note(slot, handshake, refusal: words.isEmpty ? "TLS: \(error)" : "TLS: \(words)")
        handshake.end = Connection.End(result: .handshakeFailed, error: error)
        guard error == .protocolError else { return finish(slot, handshake.end) }
        // An alert is on its way to the client; closing over what it still sends would be a reset, and could destroy it.
        guard let raw = connections.slots[Int(slot)]?.client.raw else { return }
        _ = linux_shutdown(raw, CInt(LINUX_SHUT_WR))
        awaitFarewell(slot, handshake)
    }

    // MARK: With the upstream

    /// Whether TLS with the upstream is still to come.
    mutating func wantsUpstreamTLS(_ slot: UInt32, _ relay: Int) -> Bool {
        guard relays[relay].plan.handshake.upstreamTLS != nil,
            let upstream = connections.slots[Int(slot)]?.upstreamIndex,
            connections.slots[Int(slot)]?.upstream.tls == nil
        else { return false }
        switch relays[relay].plan.upstreams[upstream].kind {
        case .network, .direct, .convert, .unix: return true
        case .echo, .handed: return false
        }
    }

    /// Begins TLS with the upstream that has just connected.
    mutating func greetUpstreamTLS(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        let index = Int(slot)
        guard let raw = connections.slots[index]?.upstream.raw, let upstream = connections.slots[index]?.upstreamIndex,
            let address = connections.slots[index]?.upstreamAddress,
            let context = relays[relay].plan.handshake.upstreamTLS
        else { return }
        let peer = relays[relay].plan.upstreams[upstream].tlsPeer ?? handshake.destination?.tlsPeer
        let place = SourceHash.hash(address.bytes) ^ UInt64(address.port) ^ UInt64(upstream) << 32
        guard let session = context.begin(raw, peer: peer, place: place) else {
            return upstreamFailed(slot, relay, handshake, .noMemory)
        }
        connections.slots[index]?.upstream.tls = session
        handshake.step = .upstreamTLS
        timers.schedule(index, at: now + relays[relay].plan.handshake.timeout)
        advanceUpstreamTLS(slot, relay, handshake)
    }

    mutating func advanceUpstreamTLS(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard let session = connections.slots[Int(slot)]?.upstream.tls else { return }
        let answer = session.handshake()
        if answer == 0 {
            timers.schedule(Int(slot), at: now + relays[relay].plan.handshake.timeout)
            return introduceSealed(slot, relay, handshake)
        }
        let error = Errno(rawValue: -answer)
        if error == .wouldBlock { return watchUpstream(slot, session.hasUnsent ? [.readable, .writable] : .readable) }
        let words = session.failure
        if let address = connections.slots[Int(slot)]?.upstreamAddress {
            note(slot, handshake, refusal: "TLS with \(address): \(words.isEmpty ? "\(error)" : words)")
        }
        upstreamFailed(slot, relay, handshake, error)
    }

    /// What the upstream has said together with the end of its handshake is told of by no event.
    mutating func readSealedUpstream(_ slot: UInt32, _ relay: Int, _ id: UInt64?) {
        // The client's first bytes may have ended the connection.
        guard let id, connections.slots[Int(slot)]?.id == id else { return }
        if relays[relay].isLimited { return serveLimited(slot, relay, .upstream, .readable) }
        let noDelay = relays[relay].followsNoDelay
        guard
            let served = connections.slots[Int(slot)]?.serveCounting(
                .upstream, .readable, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        else { return }
        settle(slot, relay, served)
    }
}

extension Destination {
    /// Whom the certificate of this destination has to name.
    fileprivate var tlsPeer: TLSPeer {
        switch host {
        case .address(let address): .address("\(address.unmapped)")
        case .name(let name): .name(name)
        }
    }
}
