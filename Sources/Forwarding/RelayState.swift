internal import LinuxSystem
internal import SystemPackage

/// A relay as one loop knows it: its plan, its counters, and the addresses of its upstreams.
struct RelayState: ~Copyable {
    let plan: RelayPlan
    let block: CounterBlocks.Block
    let timeouts: RelayTimeouts
    let followsNoDelay: Bool
    /// Something is said to every upstream before data.
    let introduces: Bool
    /// There is a bandwidth limit.
    let isLimited: Bool
    /// The congestion control of its sockets is chosen while it runs.
    let isMeasured: Bool
    /// What is set on a socket before it connects: all but keepalive, which waits until the connection has lived for a while.
    let dialSocket: SocketPlan
    var counters = RelayCounters()
    /// The counters have changed since they were published.
    var dirty = false
    var upstreams: [UpstreamState]
    /// Clients whose preamble is read.
    var handshakes = HandshakeQueue()
    var members: MemberTable
    /// Connections that belong to it.
    var holders = 0
    /// No connection comes to it any more.
    var isRetired = false
    /// The relay that goes on counting for it.
    var heir: Int?
    /// When it may be reported again that clients wait for a place.
    var nextLimitReport = MonotonicTime(nanoseconds: 0)
    /// Options that were reported as unsupported or failed: once is enough.
    var reportedOptions: Set<String> = []

    init(plan: RelayPlan, block: CounterBlocks.Block) {
        self.plan = plan
        self.block = block
        timeouts = RelayTimeouts(
            idle: plan.idleTimeout, halfClose: plan.halfCloseTimeout,
            user: max(plan.clientUserTimeout, plan.upstreamSocket.userTimeout),
            keepaliveSeconds: plan.upstreamSocket.keepaliveSeconds)
        var dialPlan = plan.upstreamSocket
        dialPlan.keepaliveSeconds = 0
        dialSocket = dialPlan
        followsNoDelay = plan.clientNoDelay == .auto && plan.upstreamSocket.noDelay == .auto
        introduces = plan.handshake.sendProxy != nil || plan.handshake.upstreamTLS != nil
        isLimited = plan.handshake.bandwidth != nil
        isMeasured = plan.clientChoosesCongestion || plan.upstreamSocket.choosesCongestion
        upstreams = plan.upstreams.map { upstream in
            UpstreamState(expires: upstream.isName ? .init(nanoseconds: 0) : .never)
        }
        members = MemberTable(plan.pool, balance: plan.balance, slowStart: plan.slowStart)
    }
}

/// An upstream of the configuration as one loop knows it: how good its members' addresses still are.
struct UpstreamState {
    /// After that they are asked for again.
    var expires: MonotonicTime
    /// They were asked for.
    var isPending = false
    /// A connection has waited in vain for fresh ones: until they come, old ones are taken without waiting.
    var isLate = false
    /// Connections that wait for them.
    var waiting: [EventToken] = []
}
