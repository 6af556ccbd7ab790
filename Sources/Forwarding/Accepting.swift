internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// How the loop takes clients in, and when it does not.
extension EventLoop {
    mutating func addListener(
        _ id: Int, relayID: Int, _ kind: ListenerKind, _ descriptor: consuming Descriptor, isShared: Bool
    ) {
        guard let relay = relayIndex(relayID) else { return }
        let streamProtocol = Self.option(descriptor.raw, CInt(LINUX_SO_PROTOCOL), level: CInt(LINUX_SOL_SOCKET))
        let noDelay = Self.option(descriptor.raw, CInt(LINUX_TCP_NODELAY), level: CInt(LINUX_SOL_TCP))
        watch(
            place(
                ListenerState(
                    descriptor: descriptor, id: id, relay: relay, kind: kind,
                    isMultipath: streamProtocol == CInt(LINUX_IPPROTO_MPTCP), isShared: isShared,
                    noDelay: noDelay == 1)))
    }

    static func option(_ raw: CInt, _ name: CInt, level: CInt) -> CInt {
        var value: CInt = 0
        return unsafe linux_get_option(raw, level, name, &value) < 0 ? -1 : value
    }

    mutating func watch(_ index: Int) {
        guard !draining, !acceptBackoff, listeners[index]?.isWatched == false, listeners[index]?.isFull == false else {
            return
        }
        guard let raw = listeners[index]?.descriptor.raw, let isShared = listeners[index]?.isShared else { return }
        let token = EventToken(slot: UInt32(index), tag: EventTag(kind: .listener).rawValue)
        do throws(Errno) {
            try poller.add(raw, isShared ? [.readable, .exclusive] : .readable, token)
            listeners[index]?.isWatched = true
        } catch {
            listenerFailed(index, error)
        }
    }

    mutating func unwatch(_ index: Int) {
        guard listeners[index]?.isWatched == true, let raw = listeners[index]?.descriptor.raw else { return }
        listeners[index]?.isWatched = false
        // The duplicate keeps the registration alive, so it must be taken out by hand; it was put in, so it is there.
        _ = try? poller.remove(raw)
    }

    private mutating func listenerFailed(_ index: Int, _ error: Errno) {
        guard let relay = listeners[index]?.relay else { return }
        unwatch(index)
        listeners[index]?.isFull = true
        shared.report(.listenerFailed(relay: relays[relay].plan.id, error: error), vital: true)
    }

    mutating func accept(_ index: Int) {
        guard index < listeners.count, listeners[index]?.isWatched == true,
            let raw = listeners[index]?.descriptor.raw,
            let relay = listeners[index]?.relay,
            let isMultipath = listeners[index]?.isMultipath,
            let noDelay = listeners[index]?.noDelay,
            let kind = listeners[index]?.kind,
            let budget = listeners[index]?.budget
        else { return }
        var accepted = 0
        defer { listeners[index]?.learn(accepted: accepted) }
        while accepted < budget {
            guard relays[relay].plan.gate.enter() || makeRoom(relay) && relays[relay].plan.gate.enter() else {
                unwatch(index)
                listeners[index]?.isFull = true
                if now >= relays[relay].nextLimitReport {
                    relays[relay].nextLimitReport = now + Tuning.limitReportInterval
                    tell(.limitReached(relay: relays[relay].plan.id))
                }
                return
            }
            var peer = linux_address()
            let answer = unsafe linux_accept(raw, &peer)
            guard answer >= 0 else {
                if relays[relay].plan.gate.leave() { shared.send(.resumeAccepting) }
                if !acceptFailed(index, relay, Errno(rawValue: -answer)) { return }
                continue
            }
            let isMultipathSocket =
                isMultipath
                && Self.option(answer, CInt(LINUX_SO_PROTOCOL), level: CInt(LINUX_SOL_SOCKET))
                    == CInt(LINUX_IPPROTO_MPTCP)
            begin(
                Side(owning: answer, isMultipathSocket: isMultipathSocket, noDelay: noDelay), SocketAddress(peer),
                relay, kind, isPlainAtMultipath: isMultipath && !isMultipathSocket)
            accepted += 1
        }
    }

    /// Whether to go on accepting after an error: those of one client do not concern the others, accept(2).
    private mutating func acceptFailed(_ index: Int, _ relay: Int, _ error: Errno) -> Bool {
        switch error {
        case .wouldBlock: return false
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory:
            rest(relay, error)
            return false
        case .badFileDescriptor, .invalidArgument, .notSocket, .notSupported:
            listenerFailed(index, error)
            return false
        default: return true
        }
    }

    /// Takes nobody in for a while: clients wait in the backlog, and open connections go on.
    private mutating func rest(_ relay: Int, _ error: Errno) {
        if !backoffReported {
            backoffReported = true
            tell(.acceptBackoff(relay: relays[relay].plan.id, error: error))
        }
        acceptBackoff = true
        for index in 0..<listeners.count { unwatch(index) }
        timers.schedule(0, at: now + Tuning.acceptBackoffNanoseconds)
    }

    mutating func resumeAfterBackoff() {
        acceptBackoff = false
        for index in 0..<listeners.count {
            listeners[index]?.isFull = false
            watch(index)
        }
    }

    /// Places are free again.
    mutating func resumeAccepting() {
        for index in 0..<listeners.count where listeners[index]?.isFull == true {
            listeners[index]?.isFull = false
            watch(index)
        }
    }

    private mutating func begin(
        _ client: consuming Side, _ address: SocketAddress, _ relay: Int, _ kind: ListenerKind, isPlainAtMultipath: Bool
    ) {
        let place = connections.claim()
        timers.reserve(Int(place.slot))
        connections.insert(
            Connection(
                id: makeID(), relay: relay, slot: place.slot, generation: place.generation, client: client,
                address: address, now: now))
        relays[relay].holders += 1
        relays[relay].counters.accepted += 1
        relays[relay].counters.open += 1
        relays[relay].dirty = true
        if backoffReported {
            backoffReported = false
            tell(.acceptResumed(relay: relays[relay].plan.id))
        }
        if isPlainAtMultipath, !admitPlainClient(place.slot, relay) { return }
        greet(place.slot, relay, kind)
    }
}
