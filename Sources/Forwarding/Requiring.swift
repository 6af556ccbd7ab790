internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// Relays that refuse what is not multipath (`require-multipath`), and the truth about those that do not.
extension EventLoop {
    /// Looks at a dial that has connected: why it is not multipath, when it is not.
    ///
    /// - Returns: false when the relay requires multipath and this is none: the socket is not to be used.
    mutating func examineDialled(
        _ slot: UInt32, _ relay: Int, _ raw: CInt, isMultipath: Bool, wantsMultipath: Bool, link: Int8
    ) -> Bool {
        let index = Int(slot)
        guard wantsMultipath else { return true }
        // `dialSocket` has noted why when there was no MPTCP socket to be had.
        if isMultipath {
            if MultipathState.of(raw) != .fellBack {
                connections.slots[index]?.notMultipathReason = nil
                rememberStripping(slot, except: link)
                return true
            }
            let reason = witness.reason(raw, now: now)
            connections.slots[index]?.notMultipathReason = reason
        }
        guard relays[relay].plan.requiresMultipath else {
            if isMultipath { connections.slots[index]?.fellBack = true }
            return true
        }
        connections.slots[index]?.dial.noteStripped(link)
        return false
    }

    /// One link has carried MPTCP to the upstream: those over which this dial fell back strip it, for the upstream speaks it.
    private mutating func rememberStripping(_ slot: UInt32, except link: Int8) {
        guard let stripped = connections.slots[Int(slot)]?.dial.strippedLinks else { return }
        if link >= 0 { ranking.carriedMultipath(link) }
        guard stripped != 0 else { return }
        for position in 0..<Int8(64) where position != link && stripped & 1 << UInt64(position) != 0 {
            ranking.stripped(position, now: now)
        }
    }

    /// Ends a dial none of whose upstreams could be had over MPTCP.
    mutating func refuseDial(_ slot: UInt32) {
        connections.slots[Int(slot)]?.fellBack = true
        if let handshake = connections.slots[Int(slot)]?.handshake {
            return fail(slot, handshake, .dial(.protocolNotAvailable), result: .refused)
        }
        finish(slot, Connection.End(result: .refused, reset: true))
    }

    /// A client of an MPTCP listener that did not ask for MPTCP.
    ///
    /// - Returns: false when its relay refuses it, and it is gone.
    mutating func admitPlainClient(_ slot: UInt32, _ relay: Int) -> Bool {
        connections.slots[Int(slot)]?.notMultipathReason = .clientDidNotAsk
        guard relays[relay].plan.requiresMultipath else { return true }
        finish(slot, Connection.End(result: .refused, reset: true))
        return false
    }
}
