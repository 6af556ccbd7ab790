internal import MultipathTCP

/// What a connection remembers of a side that is an MPTCP socket: a leg. Small, for there is one for each side of each
/// connection; what is only needed while data moves is in the loop's `LegWatch`.
struct Leg {
    /// Bytes went there, and none have come from there since.
    var awaitsAnswer = false
    /// The loop's watch has it.
    var isWatched = false
    /// Its subflows were looked at.
    var isKnown = false
    /// It had more than one subflow when it was looked at last.
    var hasSeveral = false
    /// The kernel asks over its silent subflows every second.
    var isProbing = false
    /// It was reported that all of it is silent, and nothing has come since.
    var silenceReported = false
    /// Its first account in the loop's `LinkAccounts`, -1 without one.
    var account: Int32 = -1

    /// It is to be watched and is not: to learn of its subflows once, and whenever one of several could die unnoticed, or
    /// the only one when `single` says so.
    func wantsWatch(forStalls: Bool, single: Bool) -> Bool {
        !isWatched && (!isKnown || forStalls && awaitsAnswer && (hasSeveral || single))
    }
}

extension Subflow {
    /// Not a join that is under way or has failed, which the kernel lists as well for a while.
    var isInUse: Bool {
        switch tcp.state {
        case .synSent, .synReceived: false
        case .closed: tcp.bytesSent > 0 || tcp.bytesReceived > 0
        default: true
        }
    }
}
