internal import LinuxSystem
internal import MultipathTCP

/// What a connection's MPTCP sides are known to be.
extension Connection {
    /// The socket of a side whose subflows can be read; `nil` when it is not MPTCP, or not in use yet.
    func multipathSocket(_ side: SideName) -> CInt? {
        guard phase == .relaying else { return nil }
        switch side {
        case .client: return client.isMultipathSocket ? client.raw : nil
        case .upstream: return upstream.isMultipathSocket ? upstream.raw : nil
        }
    }

    /// Whether the loop has anything to do for the legs after an event; in the usual case not.
    func needsAttention(_ now: MonotonicTime, forStalls: Bool, single: Bool) -> Bool {
        guard client.isMultipathSocket || upstream.isMultipathSocket else { return false }
        return now >= nextSample || needsProof
            || client.isMultipathSocket && clientLeg.wantsWatch(forStalls: forStalls, single: false)
            || upstream.isMultipathSocket && upstreamLeg.wantsWatch(forStalls: forStalls, single: single)
    }

    /// Whether the connection's turn to be sampled has come; the next one is then a while away.
    ///
    /// - Parameter proving: it is to be known whether it is multipath as soon as bytes went both ways: a middlebox may let the
    ///   handshake pass and break what follows.
    mutating func takeSampleTurn(_ now: MonotonicTime, proving: Bool) -> Bool {
        let proves = proving && needsProof
        if needsProof { isProven = true }
        guard now >= nextSample || proves else { return false }
        nextSample = now + Tuning.sampleIntervalNanoseconds
        return true
    }

    /// Bytes went both ways, and it was not asked since whether the legs are still multipath.
    private var needsProof: Bool { !isProven && up.moved > 0 && (isEcho || down.moved > 0) }

    /// What comes from a side answers what went there.
    mutating func noteAnswers(upMoved: Bool, downMoved: Bool) {
        if upstream.isMultipathSocket {
            upstreamLeg.awaitsAnswer = upMoved || upstreamLeg.awaitsAnswer && !downMoved
        }
        if client.isMultipathSocket {
            clientLeg.awaitsAnswer = downMoved || isEcho && upMoved || clientLeg.awaitsAnswer && !upMoved
        }
    }

    // MARK: What was found

    /// Takes what a look at a leg's subflows found.
    mutating func learn(_ side: SideName, subflows count: Int, isMultipath: Bool, now: MonotonicTime) {
        let isLate = now >= opened + connectTime + Tuning.firstLook
        withLeg(side) { leg in
            leg.hasSeveral = isMultipath && count > 1
            if isLate || count > 1 { leg.isKnown = true }
        }
        if isMultipath {
            wasMultipath = true
            subflows = max(subflows, UInt8(clamping: max(1, count)))
        } else if !fellBack {
            fellBack = true
            if notMultipathReason == nil { notMultipathReason = .fellBackLater }
        }
    }

    func account(_ side: SideName) -> Int32 { side == .client ? clientLeg.account : upstreamLeg.account }

    mutating func setAccount(_ side: SideName, _ account: Int32) {
        withLeg(side) { $0.account = account }
    }

    // MARK: The watch

    /// Why a watched leg is to be looked at.
    enum Need {
        case nothing
        /// Its subflows are not known yet, and it is too early to ask: joins take a round trip.
        case later
        case firstLook
        /// It waits for an answer over one of several subflows, or over the last link.
        case look
        /// An answer came. More may have been sent before than it answers.
        case lookIfOutstanding
    }

    /// - Parameters:
    ///   - forStalls: somebody acts on subflows that die.
    ///   - single: on a dialled leg's only one, too.
    func need(_ side: SideName, forStalls: Bool, single: Bool, now: MonotonicTime) -> Need {
        guard multipathSocket(side) != nil else { return .nothing }
        let leg = side == .client ? clientLeg : upstreamLeg
        if leg.isKnown {
            guard forStalls, leg.hasSeveral || single && side == .upstream else { return .nothing }
            return leg.awaitsAnswer ? .look : .lookIfOutstanding
        }
        return now >= opened + connectTime + Tuning.firstLook ? .firstLook : .later
    }

    /// Whether the leg is to be put into the watch now; from here on it counts as watched.
    mutating func startWatch(_ side: SideName, forStalls: Bool, single: Bool) -> Bool {
        guard multipathSocket(side) != nil else { return false }
        let leg = side == .client ? clientLeg : upstreamLeg
        guard leg.wantsWatch(forStalls: forStalls, single: single && side == .upstream) else { return false }
        withLeg(side) { $0.isWatched = true }
        return true
    }

    mutating func endWatch(_ side: SideName) {
        withLeg(side) { $0.isWatched = false }
    }

    /// All that was sent is acknowledged: nothing is waited for until more is sent.
    mutating func settleLeg(_ side: SideName) {
        withLeg(side) { $0.awaitsAnswer = false }
    }

    private mutating func withLeg(_ side: SideName, _ change: (inout Leg) -> Void) {
        switch side {
        case .client: change(&clientLeg)
        case .upstream: change(&upstreamLeg)
        }
    }
}
