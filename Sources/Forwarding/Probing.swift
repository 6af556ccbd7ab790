internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// Silent subflows of dialled connections, and whether anybody is still there.
///
/// An end that only receives notices nothing of a dead link: it waits for nothing. The other end leaves the subflow, and its
/// reset never arrives; when the link is back, this end still holds a subflow that nobody will ever use. So while a connection
/// moves data, the kernel asks over each subflow that has been silent for a second (TCP keepalive): an answer costs nothing, a
/// reset ends the subflow, and no answer at all shows a dead link. It ends ten seconds after the last byte.
extension EventLoop {
    /// After a look at a dialled leg that moves data; the reader has just read it.
    mutating func probe(_ slot: UInt32) {
        guard watch.probesSilence else { return }
        let now = self.now
        guard connections.slots[Int(slot)]?.upstreamLeg.isProbing == true else {
            let single = watch.judgesSingle
            if connections.slots[Int(slot)]?.startProbing(now: now, single: single) == true,
                let relay = connections.slots[Int(slot)]?.relay
            {
                rearm(slot, relay)
            }
            return
        }
        connections.slots[Int(slot)]?.upstreamLeg.silenceReported = false
        reportSilentSubflows(slot)
    }

    /// Data moves over other subflows; these are dead.
    private mutating func reportSilentSubflows(_ slot: UInt32) {
        guard let id = connections.slots[Int(slot)]?.id, let relay = connections.slots[Int(slot)]?.relay else { return }
        var works = false
        for index in 0..<reader.count where reader[index].tcp.isAnswered { works = true }
        guard works else { return }
        for index in 0..<reader.count where reader[index].tcp.isUnanswered {
            let subflow = reader[index]
            shared.report(
                .subflowStalled(
                    SubflowStall(
                        connection: id, relay: relays[relay].plan.id, leg: .upstream, local: subflow.local,
                        remote: subflow.remote, id: subflow.id,
                        silence: UInt64(subflow.tcp.lastAcknowledgementMilliseconds) * 1_000_000,
                        unacknowledged: subflow.tcp.unacknowledgedSegments, outstanding: 1, stuck: 1)),
                vital: true)
        }
    }

    /// Once a second while a leg is probed: nothing may move any more, and so nothing else look.
    mutating func lookAtProbes(_ slot: UInt32, _ timeouts: RelayTimeouts) {
        let index = Int(slot)
        let now = self.now
        guard let silence = connections.slots[index]?.silence(now: now) else { return }
        if silence >= Tuning.probeFor || connections.slots[index]?.isHalfClosed == true {
            connections.slots[index]?.stopProbing(timeouts)
            return
        }
        guard silence >= Tuning.probeInterval, connections.slots[index]?.upstreamLeg.silenceReported == false,
            let raw = connections.slots[index]?.multipathSocket(.upstream), (try? reader.read(raw)) != nil,
            let id = connections.slots[index]?.id, let relay = connections.slots[index]?.relay
        else { return }
        // Those that were left stay in the list until their end is acknowledged, and joins that are tried are there too.
        var live = 0
        for position in 0..<reader.count where reader[position].tcp.isLive {
            guard reader[position].tcp.isUnanswered else { return }
            live += 1
        }
        guard live > 0 else { return }
        connections.slots[index]?.upstreamLeg.silenceReported = true
        shared.report(
            .connectionStalled(
                ConnectionStall(
                    connection: id, relay: relays[relay].plan.id, leg: .upstream, subflows: live)),
            vital: true)
    }
}

extension Connection {
    /// Lets the kernel ask, when it is worth it: a connection that has lived for a while and could lose one of several, or
    /// its only one on the last link.
    fileprivate mutating func startProbing(now: MonotonicTime, single: Bool) -> Bool {
        guard upstreamLeg.hasSeveral || single, !isHalfClosed, now >= opened + (connectTime &+ Tuning.probeAfter)
        else { return false }
        upstreamLeg.isProbing = true
        upstreamLeg.silenceReported = false
        upstream.setKeepalive(1, isUnix: false)
        return true
    }

    /// As the configuration has it again.
    fileprivate mutating func stopProbing(_ timeouts: RelayTimeouts) {
        upstreamLeg.isProbing = false
        // Without keepalive of its own: the kernel's two hours are as good as none.
        upstream.setKeepalive(timeouts.keepaliveSeconds == 0 ? 7200 : timeouts.keepaliveSeconds, isUnix: false)
    }

    /// For how long no byte has moved.
    fileprivate func silence(now: MonotonicTime) -> UInt64 { now.since(lastActivity) }
}

extension TCPStatistics {
    fileprivate var isLive: Bool { state == .established || state == .closeWait }
    /// Asked again and again, and silent.
    fileprivate var isUnanswered: Bool { isLive && probesUnanswered >= Tuning.probesUnanswered }
    fileprivate var isAnswered: Bool { isLive && probesUnanswered == 0 && retransmissionsInRow == 0 }
}
