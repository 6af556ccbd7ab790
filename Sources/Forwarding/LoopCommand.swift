public import LinuxSystem

/// What became of a user's name and password.
public enum UserVerdict: Sendable {
    case right
    case wrong
    /// Too many of the client's wait to be looked at: these were not.
    case notLookedAt
}

/// What the main thread tells a loop. Carried out in order, between two turns of events.
public enum LoopCommand: Sendable {
    /// A relay that connections may be accepted for from now on.
    case addRelay(RelayPlan)
    /// Accept from this listening socket. The number is a duplicate that the loop owns from here on.
    case addListener(id: Int, relay: Int, kind: ListenerKind = .plain, descriptor: CInt, shared: Bool)
    /// Whoever comes by this listener from now on belongs to another relay.
    case moveListener(id: Int, relay: Int)
    /// Take in who waits at this listener, and nobody more; the loop's duplicate is closed.
    case removeListener(id: Int)
    /// No connection comes to this relay any more; those that are open go on as they began. What they count goes to `heir`.
    /// `LoopReport.relayEmptied` follows when the last one has ended.
    case retireRelay(Int, heir: Int?)
    /// The members that an upstream stands for from now on, good until `expires`; `nil`: those known stay, for they could
    /// not be looked up.
    case setMembers(relay: Int, upstream: Int, [UpstreamMember]?, expires: MonotonicTime)
    /// The answer to `LoopReport.resolveDestination`; none: the name leads nowhere.
    case destinationResolved(request: UInt64, [SocketAddress])
    /// The answer to `LoopReport.checkUser`.
    case userChecked(request: UInt64, UserVerdict)
    /// Under a bandwidth limit: a connection's turn to read comes at a time. From another loop.
    case bandwidthPromised(request: UInt64, isUp: Bool, at: MonotonicTime)
    /// The links that MPTCP dials start from, from now on; none: the routing table chooses.
    case setLinks([LinkCandidate])
    /// Tell of subflows that die silently (`LoopReport.subflowStalled`); `timeout` is how long one may acknowledge nothing, in
    /// nanoseconds, 0 to follow its round-trip time and variance.
    case watchStalls(timeout: UInt64)
    /// Let the kernel hold no more of bulk over several subflows than their links need: of what it lets a subflow grow to by
    /// itself, and of what may be set without privilege, both in bytes.
    case limitQueues(largest: Int, settable: Int)
    /// Tell from now on when what is counted on links has changed, or no more.
    case tellOfLinks(Bool)
    /// Let the kernel ask every second, while data moves, over dialled subflows that are silent: so those whose peer has left
    /// them, and links that are dead for what would come, are found from here too. Only where lost subflows are opened again.
    case probeSilence
    /// Tell from now on of subflows that connections get and lose (`LoopReport.subflowChanged`), or no more.
    case observeSubflows(Bool)
    /// While subflows are observed: look now at the connections that have these tokens; `nil`: at all.
    case lookAtSubflows([UInt32]?)
    /// Answer with a snapshot of every connection, in several `LoopReport.listed`.
    case list(request: UInt64)
    /// End a connection now, both sides reset, with the result `closedByOperator`; `LoopReport.closeAnswered` follows.
    case close(connection: UInt64)
    /// Stop accepting; listeners stay open, for MPTCP joins need them. `LoopReport.drained` follows when the last connection ends.
    case drain
    /// Reset what is left.
    case abort
    /// Places are free again.
    case resumeAccepting
    /// Show that the loop makes progress.
    case heartbeat
    /// End the loop; what is left is reset.
    case stop
    /// Never come back: for testing the watchdog.
    case stall
}
