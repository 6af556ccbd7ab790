internal import LinuxSystem
internal import SystemPackage

/// The pool of one relay as one loop knows it: the members as they were published last, and what this loop has learnt of
/// them by dialling.
///
/// A member's position stays its own for as long as a connection holds it, even after it has left the pool.
struct MemberTable {
    /// How long a member that failed is tried last: at first, and at most after it failed again and again.
    static let firstSuspicion: UInt64 = 1_000_000_000
    static let longestSuspicion: UInt64 = 30_000_000_000
    /// The share of its weight that a member begins its slow start with.
    private static let slowStartFloor = 0.1

    struct State {
        var member: UpstreamMember
        /// Left the pool; only its connections are still there.
        var isRetired = false
        /// This loop's connections that hold the position.
        var holders = 0
        /// Dials that failed since one succeeded.
        var failures = 0
        var suspectUntil = MonotonicTime(nanoseconds: 0)
        /// When the last failure was counted.
        var firstOfBurst = MonotonicTime(nanoseconds: 0)
        /// The recovery of its status when it failed last: another one clears the suspicion.
        var failedRecovery: UInt64 = 0
        /// Smooth weighted round robin's current value.
        var turn = 0.0
        /// When it was chosen last, counted in choices: among equals the one that waits longest is next.
        var lastChosen: UInt64 = 0
    }

    /// By position.
    private(set) var states: [State] = []
    private let balance: Balance
    /// In nanoseconds.
    private let slowStart: UInt64
    private var choices: UInt64 = 0

    init(_ members: [UpstreamMember], balance: Balance, slowStart: UInt64) {
        states = members.map { State(member: $0) }
        self.balance = balance
        self.slowStart = slowStart
    }

    // MARK: What the control plane says

    /// Takes the members that one upstream stands for from now on; those of other upstreams stay as they are.
    mutating func set(_ members: [UpstreamMember], upstream: Int) {
        for position in states.indices where states[position].member.upstream == upstream {
            states[position].isRetired = !members.contains { $0.status === states[position].member.status }
        }
        for member in members {
            if let position = states.firstIndex(where: { $0.member.status === member.status }) {
                states[position].member = member
            } else if let free = states.firstIndex(where: { $0.isRetired && $0.holders == 0 }) {
                states[free] = State(member: member)
            } else {
                states.append(State(member: member))
            }
        }
        while let last = states.last, last.isRetired, last.holders == 0 { states.removeLast() }
    }

    // MARK: Choosing

    /// The member that a connection is to try next.
    ///
    /// - Parameters:
    ///   - client: decides in `source-hash`.
    ///   - tried: positions that have failed this connection already.
    /// - Returns: a position, or `nil` when all have been tried, are drained, or have asked to be left alone.
    mutating func choose(for client: SocketAddress, tried: [Int32], now: MonotonicTime) -> Int? {
        if states.count == 1 {
            return isCandidate(0, tried, now) ? 0 : nil
        }
        var best = Int.max
        for position in states.indices where isCandidate(position, tried, now) { best = min(best, rank(position, now)) }
        guard best != .max else { return nil }
        let chosen = choose(ranked: best, tried, client, now)
        // Suspicion is over when one connection has been there and back: until then the others stay away.
        if let chosen, states[chosen].failures > 0 {
            states[chosen].suspectUntil = max(states[chosen].suspectUntil, now + Self.firstSuspicion)
        }
        return chosen
    }

    private mutating func choose(
        ranked best: Int, _ tried: [Int32], _ client: SocketAddress, _ now: MonotonicTime
    ) -> Int? {
        let clientHash = balance == .sourceHash ? SourceHash.client(client) : 0
        var total = 0.0
        var chosen: Int?
        var top = 0.0
        for position in states.indices where isCandidate(position, tried, now) && rank(position, now) == best {
            let weight = weight(position, now)
            total += weight
            let value: Double
            switch balance {
            case .failover:
                // One pass: each takes the place of those before it with its share of the sum so far.
                if chosen == nil || Double.random(in: 0..<total) < weight { chosen = position }
                continue
            case .roundRobin:
                states[position].turn += weight
                value = states[position].turn
            case .leastConnections:
                value = -Double(states[position].member.status.connections + 1) / weight
            case .sourceHash:
                value = SourceHash.score(client: clientHash, member: states[position].member.key, weight: weight)
            }
            if let other = chosen {
                guard value >= top else { continue }
                if value == top, states[other].lastChosen <= states[position].lastChosen { continue }
            }
            chosen = position
            top = value
        }
        guard let chosen else { return nil }
        if balance == .roundRobin { states[chosen].turn -= total }
        choices += 1
        states[chosen].lastChosen = choices
        return chosen
    }

    private func isCandidate(_ position: Int, _ tried: [Int32], _ now: MonotonicTime) -> Bool {
        let status = states[position].member.status
        return !states[position].isRetired && !status.isDraining && !status.isResting(now)
            && !tried.contains(Int32(position))
    }

    /// Whether a member would be there if it had not asked to be left alone.
    func isAnyResting(_ now: MonotonicTime) -> Bool {
        states.contains { !$0.isRetired && $0.member.status.isResting(now) }
    }

    /// Lower is tried first: how well it is before its tier.
    private func rank(_ position: Int, _ now: MonotonicTime) -> Int {
        let state = states[position]
        let wellness =
            if !state.member.status.isHealthy { 3 } else if isSuspect(state, now) { 2 } else {
                state.member.weight > 0 ? 0 : 1
            }
        return wellness << 40 | state.member.tier
    }

    private func isSuspect(_ state: State, _ now: MonotonicTime) -> Bool {
        state.failures > 0 && state.suspectUntil > now && state.failedRecovery == state.member.status.recovery
    }

    private func weight(_ position: Int, _ now: MonotonicTime) -> Double {
        let full = Double(max(1, states[position].member.weight))
        let recovery = states[position].member.status.recovery
        guard recovery != 0, slowStart != 0, balance != .sourceHash else { return full }
        let age = now.since(MonotonicTime(nanoseconds: recovery))
        return age >= slowStart ? full : full * max(Self.slowStartFloor, Double(age) / Double(slowStart))
    }

    // MARK: What comes of it

    /// A connection holds the position from here on.
    mutating func enter(_ position: Int) {
        states[position].holders += 1
        states[position].member.status.enter()
    }

    /// A connection lets the position go.
    mutating func leave(_ position: Int) {
        states[position].holders -= 1
        states[position].member.status.leave()
    }

    /// A dial has failed.
    ///
    /// - Returns: true when that is news.
    mutating func failed(_ position: Int, now: MonotonicTime) -> Bool {
        let recovery = states[position].member.status.recovery
        if states[position].failedRecovery != recovery { states[position].failures = 0 }
        states[position].failedRecovery = recovery
        let before = states[position].failures
        // Those that were dialling when the first one failed say nothing new.
        if before > 0, states[position].suspectUntil > now,
            now.since(states[position].firstOfBurst) < Self.firstSuspicion
        {
            return false
        }
        states[position].firstOfBurst = now
        states[position].failures = before + 1
        states[position].suspectUntil = now + min(Self.longestSuspicion, Self.firstSuspicion << UInt64(min(before, 5)))
        return true
    }

    /// A dial has succeeded.
    ///
    /// - Returns: true when that is news.
    mutating func connected(_ position: Int) -> Bool {
        guard states[position].failures > 0 else { return false }
        states[position].failures = 0
        return true
    }
}
