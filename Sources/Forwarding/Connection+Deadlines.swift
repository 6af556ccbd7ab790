internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// When a connection has been silent for too long.
extension Connection {
    /// Whether the deadline is to be set: it never was, or a direction has ended since.
    func needsDeadline(_ timeouts: RelayTimeouts) -> Bool {
        if timeouts.idle == 0, timeouts.halfClose == 0, timeouts.user == 0, timeouts.keepaliveSeconds == 0 {
            return false
        }
        if deadlineArmed { return isHalfClosed && !deadlineHalfClosed }
        return timeouts.idle != 0 || timeouts.user != 0 || timeouts.keepaliveSeconds != 0 || isHalfClosed
    }

    /// The time when the connection is to be looked at.
    mutating func armDeadline(_ timeouts: RelayTimeouts, now: MonotonicTime) -> MonotonicTime {
        deadlineArmed = true
        deadlineHalfClosed = isHalfClosed
        var deadline = self.deadline(timeouts).at
        if timeouts.user != 0 { deadline = min(deadline, now + timeouts.user) }
        if timeouts.keepaliveSeconds != 0, !keepaliveSet { deadline = min(deadline, keepaliveDue) }
        if upstreamLeg.isProbing { deadline = min(deadline, now + Tuning.probeInterval) }
        return deadline
    }

    private var keepaliveDue: MonotonicTime { opened + (connectTime &+ Tuning.keepaliveAfter) }

    /// Sets keepalive on the upstream's socket when it is time. The client's has it from its listener.
    mutating func setKeepalive(_ timeouts: RelayTimeouts, now: MonotonicTime) {
        guard timeouts.keepaliveSeconds != 0, !keepaliveSet, now >= keepaliveDue else { return }
        keepaliveSet = true
        // While silent subflows are asked every second, that stays; what is configured is set when it ends.
        if upstream.raw >= 0, !upstreamLeg.isProbing {
            upstream.setKeepalive(timeouts.keepaliveSeconds, isUnix: upstreamAddress.family == .unix)
        }
    }

    /// Whether bytes have stayed unacknowledged for the user timeout on an MPTCP side, where the kernel has no
    /// TCP_USER_TIMEOUT. Looked at once a user timeout, so it is found after one to two of them.
    mutating func checkAcknowledgement(_ timeouts: RelayTimeouts, now: MonotonicTime) -> Bool {
        guard timeouts.user != 0 else { return false }
        let up = acknowledged(upstream.raw, upstream.isMultipathSocket, up.moved)
        let down = acknowledged(client.raw, client.isMultipathSocket, down.moved)
        let stuck = up != nil && up == acknowledgedUp || down != nil && down == acknowledgedDown
        acknowledgedUp = up
        acknowledgedDown = down
        return stuck
    }

    /// How far the peer has acknowledged, when it has not acknowledged everything.
    private func acknowledged(_ raw: CInt, _ isMultipath: Bool, _ moved: UInt64) -> UInt64? {
        guard raw >= 0, isMultipath else { return nil }
        let waiting = linux_bytes_unsent(raw)
        return waiting > 0 && UInt64(waiting) <= moved ? moved - UInt64(waiting) : nil
    }

    /// When nothing moved for too long; `.never` without a limit.
    func deadline(_ timeouts: RelayTimeouts) -> (at: MonotonicTime, result: ConnectionResult) {
        let idle: MonotonicTime = timeouts.idle == 0 ? .never : lastActivity + timeouts.idle
        guard isHalfClosed, timeouts.halfClose != 0 else { return (idle, .idleTimeout) }
        let halfClose = lastActivity + timeouts.halfClose
        return halfClose < idle ? (halfClose, .halfCloseTimeout) : (idle, .idleTimeout)
    }
}
