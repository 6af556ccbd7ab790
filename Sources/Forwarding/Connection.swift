internal import CLinux
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// A client, its upstream, and a flow in each direction.
///
/// Belongs to the loop that accepted it, and is touched by no other thread. It lives in the loop's table; its sockets are
/// closed when it leaves the table, after its flows gave back what they borrowed (`dismantle`).
struct Connection: ~Copyable {
    enum Phase {
        /// Waits for an upstream's addresses.
        case resolving
        /// Waits for an upstream to connect.
        case dialing
        /// Something is said before data: see `Handshake`.
        case handshake
        case relaying
    }

    /// Why a connection ends; `error` is 0 without one.
    struct End {
        var result: ConnectionResult
        var error = Errno(rawValue: 0)
        /// Both sides are reset rather than closed in order.
        var reset = false
    }

    let id: UInt64
    /// Index of the relay in the loop's table.
    let relay: Int
    let slot: UInt32
    let generation: UInt32
    /// Who the client is: its peer address, or what a PROXY header says.
    var clientAddress: SocketAddress
    let opened: MonotonicTime

    var phase = Phase.dialing
    var client: Side
    var upstream = Side.absent
    var dial = Dial()
    /// The upstream is the client itself.
    var isEcho = false
    var upstreamIndex = -1
    var upstreamAddress = SocketAddress.none
    var connectTime: UInt64 = 0
    /// MPTCP was wanted towards the upstream and this kernel has none.
    var multipathUnavailable = false
    /// Until it relays, and only if there is one.
    var handshake: Handshake?
    /// What is left of the handshake for the record.
    var notes: ConnectionNotes?
    /// Under a bandwidth limit only.
    var throttle: Throttle?
    /// Whose place it has under `max-connections-per-client`.
    var clientPlace: ClientKey?

    var up = Flow()
    var down = Flow()
    private(set) var lastActivity: MonotonicTime
    // Of Connection+Deadlines.
    var deadlineArmed = false
    var deadlineHalfClosed = false
    var keepaliveSet = false
    var acknowledgedUp: UInt64?
    var acknowledgedDown: UInt64?
    // Of Connection+Legs.
    var clientLeg = Leg()
    var upstreamLeg = Leg()
    /// When a connection that moves data is looked at next.
    var nextSample = MonotonicTime(nanoseconds: 0)
    /// The most subflows of one leg at once.
    var subflows: UInt8 = 0
    var fellBack = false
    var wasMultipath = false
    /// Its legs were asked about after bytes went both ways, or that is not required.
    var isProven = false
    /// Why a leg that could be multipath is not.
    var notMultipathReason: NotMultipathReason?

    init(
        id: UInt64, relay: Int, slot: UInt32, generation: UInt32, client: consuming Side, address: SocketAddress,
        now: MonotonicTime
    ) {
        self.id = id
        self.relay = relay
        self.slot = slot
        self.generation = generation
        self.client = client
        clientAddress = address
        opened = now
        lastActivity = now
    }

    /// One direction has ended and was passed on.
    var isHalfClosed: Bool { up.shut != down.shut }

    // MARK: Relaying

    /// Serves one event of one side: moves what can be moved and settles what to wait for next.
    ///
    /// - Parameters:
    ///   - noDelay: whether TCP_NODELAY is to follow the flows.
    /// - Returns: why the connection ends, or `nil` when it goes on.
    mutating func serve(
        _ side: SideName, _ readiness: Readiness, noDelay: Bool, now: MonotonicTime, carriers: inout Carriers,
        poller: borrowing Poller
    ) -> End? {
        let upBefore = up.moved
        let downBefore = down.moved
        let broken = !readiness.isDisjoint(with: [.failed, .hungUp])
        let reads = broken || readiness.contains(.readable)
        let writes = broken || readiness.contains(.writable)
        let end: End? =
            switch side {
            case .client: serveClient(reads: reads, writes: writes, failed: readiness.contains(.failed), &carriers)
            case .upstream: serveUpstream(reads: reads, writes: writes, failed: readiness.contains(.failed), &carriers)
            }
        if up.moved != upBefore || down.moved != downBefore {
            lastActivity = now
            noteAnswers(upMoved: up.moved != upBefore, downMoved: down.moved != downBefore)
        }
        if let end { return end }
        if up.shut, down.shut || isEcho { return End(result: .closed) }
        if noDelay {
            if isEcho {
                client.follow(deep: up.deep)
            } else {
                client.follow(deep: down.deep)
                upstream.follow(deep: up.deep)
            }
        }
        return settle(poller)
    }

    private mutating func serveClient(reads: Bool, writes: Bool, failed: Bool, _ carriers: inout Carriers) -> End? {
        if writes, client.hasUnsent, let error = client.flush() { return reset(.clientReset, error) }
        if isEcho {
            if let end = turnEcho(&carriers) { return end }
        } else {
            if reads, let end = turnUp(&carriers) { return end }
            if writes, down.wantsWrite, let end = turnDown(&carriers) { return end }
        }
        // An error that no read or write has met, because there was no room to read into.
        if failed, !up.wantsRead { return reset(.clientReset, client.pendingError()) }
        return nil
    }

    private mutating func serveUpstream(reads: Bool, writes: Bool, failed: Bool, _ carriers: inout Carriers) -> End? {
        if writes, upstream.hasUnsent, let error = upstream.flush() { return reset(.upstreamReset, error) }
        if reads, let end = turnDown(&carriers) { return end }
        if writes, up.wantsWrite, let end = turnUp(&carriers) { return end }
        if failed, !down.wantsRead { return reset(.upstreamReset, upstream.pendingError()) }
        return nil
    }

    private mutating func turnUp(_ carriers: inout Carriers) -> End? {
        switch up.turn(
            from: client.channel, sourceIsMultipath: client.isMultipathSocket, to: upstream.channel, last: down.shut,
            carriers: &carriers)
        {
        case .paused: nil
        case .sourceFailed(let error): reset(.clientReset, error)
        case .destinationFailed(let error): reset(.upstreamReset, error)
        }
    }

    private mutating func turnDown(_ carriers: inout Carriers) -> End? {
        switch down.turn(
            from: upstream.channel, sourceIsMultipath: upstream.isMultipathSocket, to: client.channel, last: up.shut,
            carriers: &carriers)
        {
        case .paused: nil
        case .sourceFailed(let error): reset(.upstreamReset, error)
        case .destinationFailed(let error): reset(.clientReset, error)
        }
    }

    private mutating func turnEcho(_ carriers: inout Carriers) -> End? {
        switch up.turn(
            from: client.channel, sourceIsMultipath: client.isMultipathSocket, to: client.channel, last: true,
            carriers: &carriers)
        {
        case .paused: nil
        case .sourceFailed(let error), .destinationFailed(let error): reset(.clientReset, error)
        }
    }

    private func reset(_ result: ConnectionResult, _ error: Errno) -> End {
        End(result: result, error: error, reset: true)
    }

    /// The one place where it is decided what each side is watched for.
    private mutating func settle(_ poller: borrowing Poller) -> End? {
        do throws(Errno) {
            var wanted: Readiness = up.wantsRead ? .readable : []
            if isEcho ? up.wantsWrite : down.wantsWrite { wanted.insert(.writable) }
            if client.hasUnsent { wanted.insert(.writable) }
            try client.watch(wanted, token(.client), poller)
            if !isEcho {
                wanted = down.wantsRead ? .readable : []
                if up.wantsWrite || upstream.hasUnsent { wanted.insert(.writable) }
                try upstream.watch(wanted, token(.upstream), poller)
            }
            return nil
        } catch {
            // ENOMEM or ENOSPC (fs.epoll.max_user_watches): without events the connection would hang for ever.
            return reset(.outOfDescriptors, error)
        }
    }

    func token(_ side: SideName) -> EventToken {
        EventToken(slot: slot, tag: EventTag(side: side, generation: generation).rawValue)
    }

    // MARK: Dialling

    /// Moves the dial on to the next address of its upstream; `nil` when there is none.
    mutating func nextAddressIndex(count: Int) -> Int? {
        guard dial.nextAddress < count else { return nil }
        dial.nextAddress += 1
        return dial.nextAddress - 1
    }

    /// Gives the upstream its time.
    mutating func armDial(_ deadline: MonotonicTime) {
        phase = .dialing
        dial.upstreamDeadline = deadline
        dial.nextAttempt = .never
    }

    // MARK: Counting

    /// Serves one event and answers what it moved, for the relay's counters.
    mutating func serveCounting(
        _ side: SideName, _ readiness: Readiness, noDelay: Bool, now: MonotonicTime, carriers: inout Carriers,
        poller: borrowing Poller
    ) -> Served {
        let upBefore = up.moved
        let downBefore = down.moved
        let end = serve(side, readiness, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
        let bytesUp = up.moved &- upBefore
        return Served(end: end, bytesUp: bytesUp, bytesDown: isEcho ? bytesUp : down.moved &- downBefore)
    }

    /// Starts relaying once the upstream is there: what the client has sent already goes first.
    mutating func begin(
        noDelay: Bool, now: MonotonicTime, carriers: inout Carriers, poller: borrowing Poller
    ) -> Served {
        phase = .relaying
        connectTime = max(1, now.since(opened))
        lastActivity = now
        nextSample = now + Tuning.sampleIntervalNanoseconds / 4
        return serveCounting(.client, .readable, noDelay: noDelay, now: now, carriers: &carriers, poller: poller)
    }

    /// What came of serving one event.
    struct Served {
        /// Why the connection ends, or `nil` when it goes on.
        var end: End?
        var bytesUp: UInt64
        var bytesDown: UInt64
    }

    /// Multipath or not, as far as it was looked at.
    var outcome: MultipathOutcome { fellBack || multipathUnavailable ? .fallback : wasMultipath ? .yes : .no }

    // MARK: The end

    /// Gives back what the flows borrowed and says what the connection was. Its sockets close when it is destroyed next.
    mutating func dismantle(_ end: End, now: MonotonicTime, relayID: Int, carriers: inout Carriers) -> ConnectionRecord
    {
        up.abandon(&carriers)
        down.abandon(&carriers)
        if end.reset {
            client.resetOnClose()
            upstream.resetOnClose()
        }
        return ConnectionRecord(
            id: id, relay: relayID, client: clientAddress, upstream: upstreamIndex, upstreamAddress: upstreamAddress,
            multipath: outcome, subflows: Int(subflows), bytesUp: up.moved, bytesDown: isEcho ? up.moved : down.moved,
            duration: now.since(opened), connectTime: connectTime, result: end.result, error: end.error, notes: notes,
            notMultipathReason: notMultipathReason)
    }
}

/// The two ends of a connection.
enum SideName: UInt32 {
    case client = 0
    case upstream = 1
}

/// A relay's limits on silence, in nanoseconds; 0 is none.
struct RelayTimeouts {
    var idle: UInt64
    var halfClose: UInt64
    /// On unacknowledged bytes, where the kernel does not do it.
    var user: UInt64
    /// Not a limit: how long silence may last before the peer is asked whether it lives, in seconds.
    var keepaliveSeconds: Int32
}
