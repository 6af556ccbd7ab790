internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Where the quality of paths is measured: on the MPTCP side towards the upstream, for the guard; on either side where
/// `congestion = "auto"` asks for it.
extension EventLoop {
    /// Data of a relaying connection has moved.
    mutating func noteMoved(_ slot: UInt32, _ relay: Int, _ bytes: UInt64) {
        if !relays[relay].isMeasured {
            guard ranking.isMeasured || quality.queues.largest > 0 else { return }
            let client = connections.slots[Int(slot)]?.client.isMultipathSocket
            let upstream = connections.slots[Int(slot)]?.upstream.isMultipathSocket
            guard client == true || upstream == true else { return }
        }
        if quality.isDue(slot, bytes, now: now) { measure(slot, relay) }
    }

    /// A connection waits for its data to be acknowledged. When it stands still there is no event, and that is worth knowing.
    mutating func noteWaiting(_ slot: UInt32) {
        guard quality.isOverdue(slot, now: now), let relay = connections.slots[Int(slot)]?.relay else { return }
        measure(slot, relay)
    }

    private mutating func measure(_ slot: UInt32, _ relay: Int) {
        guard let id = connections.slots[Int(slot)]?.id,
            let clientRaw = connections.slots[Int(slot)]?.client.raw,
            let upstreamRaw = connections.slots[Int(slot)]?.upstream.raw,
            let clientIsMultipath = connections.slots[Int(slot)]?.client.isMultipathSocket,
            let upstreamIsMultipath = connections.slots[Int(slot)]?.upstream.isMultipathSocket
        else { return }
        let clientChooses = relays[relay].plan.clientChoosesCongestion
        let upstreamChooses = relays[relay].plan.upstreamSocket.choosesCongestion
        let limits = quality.queues.largest > 0
        let dialled = ranking.isMeasured && upstreamIsMultipath
        if upstreamRaw >= 0, dialled || upstreamChooses || limits && upstreamIsMultipath {
            measure(
                QualityWatch.Subject(
                    slot: slot, side: .upstream, id: id, raw: upstreamRaw, isDialled: dialled,
                    choosesCongestion: upstreamChooses, isMultipath: upstreamIsMultipath), relay)
        }
        if clientRaw >= 0, clientChooses || limits && clientIsMultipath {
            measure(
                QualityWatch.Subject(
                    slot: slot, side: .client, id: id, raw: clientRaw, isDialled: false,
                    choosesCongestion: clientChooses, isMultipath: clientIsMultipath), relay)
        }
    }

    private mutating func measure(_ subject: QualityWatch.Subject, _ relay: Int) {
        let outcome = quality.measure(subject, ranking: ranking, now: now)
        if let report = outcome.report { tell(.pathQuality(report)) }
        if let error = outcome.refusal, relays[relay].reportedOptions.insert("TCP_CONGESTION auto").inserted {
            tell(
                .optionNotSet(
                    relay: relays[relay].plan.id, SocketOptionFailure(option: "TCP_CONGESTION", error: error)))
        }
    }

    /// A connection is over.
    mutating func forgetMeasured(_ slot: UInt32) {
        guard let id = connections.slots[Int(slot)]?.id else { return }
        if let report = quality.ended(slot, id: id, now: now) { tell(.pathQuality(report)) }
    }
}
