internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

/// The upstreams of all relays: who they are (names and services are looked up again when they are past their time), how
/// they are (checks and failed connections), and what the loops are told of it.
///
/// It asks when a connection needs it, and by itself only for relays with `health-check`: without that, an idle daemon
/// looks nothing up and wakes for nothing.
struct UpstreamPools: ~Copyable {
    /// What a relay's pool needs to know of its configuration.
    struct Relay {
        let name: String
        let check: HealthCheckSettings?
        let socket: SocketPlan
        /// Sources' indices, by upstream.
        var sources: [Int] = []
    }

    /// How long a name that has no address is left alone.
    static let failureNanoseconds: UInt64 = 1_000_000_000

    let resolver: Resolver
    let logger: Logger
    var relays: [Int: Relay] = [:]
    var sources: [Int: PoolSource] = [:]
    var members: [Int: PoolMember] = [:]
    let checks: HealthChecks
    var changes = PoolChanges()
    private var nextSource = 0
    private var nextMember = 1

    init(logger: Logger, checkTag: UInt32) throws(ResolverError) {
        self.logger = logger
        resolver = try Resolver()
        checks = HealthChecks(tag: checkTag)
    }

    // MARK: Relays

    /// Takes a relay in.
    ///
    /// - Parameter former: a relay whose place it takes: what is known of upstreams that both have is kept.
    /// - Returns: the members that its connections begin with.
    mutating func add(_ settings: RelaySettings, relay: Int, inPlaceOf former: Int? = nil) -> [UpstreamMember] {
        relays[relay] = Relay(
            name: settings.name, check: settings.healthCheck, socket: SocketPlan(settings.upstreamSocket))
        var plans: [UpstreamMember] = []
        for (index, upstream) in settings.upstream.enumerated() {
            let number = nextSource
            nextSource += 1
            var source = PoolSource(upstream.value, upstream: index, relay: relay, balance: settings.balance)
            if let heritage = takeHeritage(of: source, from: former, number) {
                source.members = heritage
            } else {
                let first = source.itself(upstream.value.hostPort.flatMap { SocketAddress($0) }.map { [$0] } ?? [])
                source.members = [makeMember(first, source: number, of: source, startsSlowly: false).id]
            }
            sources[number] = source
            relays[relay]?.sources.append(number)
            plans += source.members.compactMap { members[$0]?.plan }
        }
        changes.members = true
        return plans
    }

    /// Takes over the members of the same upstream of another relay, with all that is known of them.
    private mutating func takeHeritage(of source: PoolSource, from former: Int?, _ number: Int) -> [Int]? {
        guard let former, let numbers = relays[former]?.sources,
            let old = numbers.first(where: { number in
                guard let other = sources[number] else { return false }
                return other.address == source.address && other.isSpread == source.isSpread
                    && other.tier == source.tier && !other.members.isEmpty
            }), let heritage = sources[old]?.members
        else { return nil }
        sources[old]?.members = []
        let check = relays[source.relay]?.check
        let now = MonotonicTime.now()
        for id in heritage {
            members[id]?.source = number
            members[id]?.plan.upstream = source.upstream
            checks.cancel(id)
            if check == nil { members[id]?.plan.status.set(healthy: true, at: now) }
            let wasHealthy = members[id]?.health.isKnown == true ? members[id]?.health.isHealthy : nil
            members[id]?.health = HealthState(
                rise: check?.rise ?? 1, fall: check?.fall ?? 1, isHealthy: check == nil ? nil : wasHealthy)
            members[id]?.nextCheck = check != nil && source.isCheckable ? now + Self.stagger() : .never
        }
        return heritage
    }

    /// Forgets a relay; its connections go on.
    mutating func remove(relay: Int) {
        for number in relays[relay]?.sources ?? [] {
            for id in sources[number]?.members ?? [] { drop(id) }
            sources[number] = nil
        }
        relays[relay] = nil
        changes.members = true
    }

    private mutating func makeMember(
        _ candidate: MemberCandidate, source number: Int, of source: PoolSource, startsSlowly: Bool
    ) -> PoolMember {
        let now = MonotonicTime.now()
        let check = relays[source.relay]?.check
        let status = MemberStatus(id: nextMember, startsSlowlyAt: startsSlowly ? now : nil)
        nextMember += 1
        let member = PoolMember(
            plan: UpstreamMember(
                upstream: source.upstream, addresses: candidate.addresses, tier: candidate.tier,
                weight: candidate.weight, key: candidate.key, status: status),
            source: number, text: candidate.text, key: candidate.key,
            health: HealthState(rise: check?.rise ?? 1, fall: check?.fall ?? 1),
            nextCheck: check != nil && source.isCheckable ? now + Self.stagger() : .never)
        members[member.id] = member
        return member
    }

    private mutating func drop(_ id: Int) {
        members[id] = nil
        checks.cancel(id)
    }

    /// Members that come together are not all checked in one moment.
    private static func stagger() -> UInt64 { UInt64.random(in: 0..<50_000_000) }

    // MARK: Members

    /// Takes what an upstream stands for from now on, and tells the loops.
    mutating func publish(
        _ candidates: [MemberCandidate], of number: Int, lifetime: Duration, _ loops: borrowing LoopThreads
    ) {
        guard let source = sources[number] else { return }
        let now = MonotonicTime.now()
        let expires = now + lifetime.wholeNanoseconds
        sources[number]?.expires = expires
        let before = source.members.compactMap { members[$0] }
        var kept: [Int] = []
        var came: [String] = []
        let isFirst = before.allSatisfy { $0.plan.addresses.isEmpty }
        for candidate in candidates {
            if let known = before.first(where: { $0.key == candidate.key }) {
                members[known.id]?.plan.addresses = candidate.addresses
                members[known.id]?.plan.tier = candidate.tier
                members[known.id]?.plan.weight = candidate.weight
                kept.append(known.id)
            } else {
                kept.append(makeMember(candidate, source: number, of: source, startsSlowly: !isFirst).id)
                came.append(candidate.text)
            }
        }
        let left = before.filter { !kept.contains($0.id) }
        changes.members = changes.members || !came.isEmpty || !left.isEmpty
        for member in left { drop(member.id) }
        sources[number]?.members = kept
        noteChange(source, came: came, left: isFirst ? [] : left.map(\.text))
        loops.send(
            .setMembers(
                relay: source.relay, upstream: source.upstream, kept.compactMap { members[$0]?.plan }, expires: expires)
        )
    }

    private func noteChange(_ source: PoolSource, came: [String], left: [String]) {
        guard !came.isEmpty || !left.isEmpty, let relay = relays[source.relay] else { return }
        var changes: [String] = []
        if !came.isEmpty { changes.append("with \(came.joined(separator: ", "))") }
        if !left.isEmpty { changes.append("without \(left.joined(separator: ", "))") }
        logger.event(
            .upstreamMembersChanged, "\(relay.name): \(source.address) is now \(changes.joined(separator: " and "))",
            metadata: [
                "relay": "\(relay.name)", "upstream": "\(source.address)", "added": "\(came.joined(separator: " "))",
                "removed": "\(left.joined(separator: " "))",
            ])
    }

    /// Says whether members take new connections; for an operator's maintenance.
    ///
    /// - Parameter address: as in `UpstreamView.address`.
    /// - Returns: false when the relay has no such member.
    mutating func setDraining(_ isDraining: Bool, relay: Int, address: String) -> Bool {
        let found = members.values.filter { $0.text == address && sources[$0.source]?.relay == relay }
        for member in found { member.plan.status.set(draining: isDraining, at: .now()) }
        return !found.isEmpty
    }

    /// The members of a relay's pool as they are now, in the order of its upstreams.
    func views(relay: Int) -> [PoolView] {
        let numbers = relays[relay]?.sources ?? []
        return numbers.flatMap { sources[$0]?.members ?? [] }.compactMap { members[$0] }.map { member in
            PoolView(
                address: member.text, upstream: member.plan.upstream, tier: member.plan.tier,
                weight: member.plan.weight, status: member.plan.status)
        }
    }

    /// What has changed since the last call; `nil` when nothing has.
    mutating func takeChanges() -> PoolChanges? {
        guard changes.members || !changes.health.isEmpty else { return nil }
        defer { changes = PoolChanges() }
        return changes
    }

    // MARK: The main loop

    /// When to come back although no descriptor is ready.
    var deadline: MonotonicTime { min(min(resolver.deadline, checks.deadline), nextDue) }

    private var nextDue: MonotonicTime {
        let check = members.values.reduce(MonotonicTime.never) { min($0, $1.nextCheck) }
        return sources.values.reduce(check) { min($0, isLookedUpAgain($1) ? $1.expires : .never) }
    }

    func isLookedUpAgain(_ source: PoolSource) -> Bool {
        source.isName && !source.isPending && relays[source.relay]?.check != nil
    }

    /// To be called once a turn of the main loop: takes answers and results, passes them on, begins what is due.
    mutating func settle(_ poller: borrowing Poller, tag: UInt32, _ loops: borrowing LoopThreads) throws(Errno) {
        let now = MonotonicTime.now()
        if resolver.deadline <= .now() { resolver.processTimeouts() }
        for number in Array(sources.keys) {
            guard let source = sources[number], isLookedUpAgain(source), source.expires <= now else { continue }
            ask(number)
        }
        takeAnswers(loops)
        checks.expire(now: now)
        beginChecks(now, poller)
        takeCheckOutcomes()
        try resolver.updateWatches(in: poller, tag: tag)
    }
}
