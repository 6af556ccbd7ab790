internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

extension PoolSource {
    /// Whether there is something to connect to.
    var isCheckable: Bool {
        switch address {
        case .tcp, .mptcp, .mptcpService, .unix, .convert: true
        case .echo, .dashboard, .directTCP, .directMPTCP: false
        }
    }
}

/// Whether members are well.
extension UpstreamPools {
    /// A check connects to so many of a member's addresses at most.
    private static let addressesChecked = 4

    // MARK: Checks

    mutating func beginChecks(_ now: MonotonicTime, _ poller: borrowing Poller) {
        for id in Array(members.keys) {
            guard let member = members[id], member.nextCheck <= now, let source = sources[member.source],
                let relay = relays[source.relay], let check = relay.check
            else { continue }
            let interval = check.interval.wholeNanoseconds
            // A tenth either way, so that many near ends do not all come at once.
            members[id]?.nextCheck = now + (interval - interval / 10 + UInt64.random(in: 0...(interval / 5)))
            guard !checks.isRunning(id) else { continue }
            begin(id, member, source, relay, deadline: now + check.timeout.wholeNanoseconds, poller)
        }
    }

    private mutating func begin(
        _ id: Int, _ member: PoolMember, _ source: PoolSource, _ relay: Relay, deadline: MonotonicTime,
        _ poller: borrowing Poller
    ) {
        if case .unix(let path) = source.address {
            checks.begin(id, deadline: deadline)
            do throws(Errno) {
                checks.attempt(id, try Socket.unixStream(), in: poller) { socket throws(Errno) in
                    try socket.connect(toPath: path)
                }
                checks.started(id)
            } catch {
                checks.started(id, error: error)
            }
            return
        }
        // A name that has no address yet is the look-up's affair.
        guard !member.plan.addresses.isEmpty else { return }
        checks.begin(id, deadline: deadline)
        var failure: Errno?
        for address in member.plan.addresses.prefix(Self.addressesChecked) {
            do throws(Errno) {
                let socket = try Self.socket(to: address, isMultipath: source.address.isMultipath, relay.socket)
                checks.attempt(id, socket, in: poller) { socket throws(Errno) in try socket.connect(to: address) }
            } catch {
                failure = error
            }
        }
        checks.started(id, error: failure)
    }

    /// A socket like those that connections dial with.
    private static func socket(
        to address: SocketAddress, isMultipath: Bool, _ plan: SocketPlan
    ) throws(Errno) -> Socket {
        let opened = try MultipathSupport.socket(address.family, wanting: isMultipath ? .mptcp : .tcp)
        let socket = opened.take()
        var options = plan
        options.keepaliveSeconds = 0
        options.fastOpen = false
        // Those that fail do so for connections too, which say it.
        _ = socket.apply(options, family: address.family)
        if let source = plan.sourceAddress, source.family == address.family { try socket.bind(to: source) }
        return socket
    }

    mutating func takeCheckOutcomes() {
        for outcome in checks.takeOutcomes() {
            note(outcome.id, success: outcome.error == nil, "its health check failed: \(outcome.error ?? .timedOut)")
        }
    }

    // MARK: Connections

    /// A connection to a member failed.
    mutating func connectionFailed(_ id: Int, _ error: Errno) {
        guard let source = members[id].flatMap({ sources[$0.source] }) else { return }
        if relays[source.relay]?.check != nil, source.isCheckable {
            return note(id, success: false, "connections fail: \(error)")
        }
        guard members[id]?.isHealthy == true else { return }
        members[id]?.plan.status.set(failing: true)
        members[id]?.reason = "connections fail: \(error)"
        tell(id, source)
    }

    /// A member that had failed was connected to.
    mutating func connectionSucceeded(_ id: Int) {
        guard members[id]?.isHealthy == false, let source = members[id].flatMap({ sources[$0.source] }) else { return }
        members[id]?.plan.status.set(failing: false)
        tell(id, source)
    }

    // MARK: What comes of it

    private mutating func note(_ id: Int, success: Bool, _ reason: String) {
        let now = MonotonicTime.now()
        guard members[id]?.health.note(success: success, now: now) == true, let member = members[id],
            let source = sources[member.source]
        else { return }
        members[id]?.reason = success ? "" : reason
        member.plan.status.set(healthy: success, at: now)
        tell(id, source)
    }

    /// Says how a member is from now on; a relay's only one is spoken of by its connections.
    private mutating func tell(_ id: Int, _ source: PoolSource) {
        guard let member = members[id], let relay = relays[source.relay] else { return }
        let pool = relay.sources.flatMap { sources[$0]?.members ?? [] }.compactMap { members[$0] }
        let well = pool.count { $0.isHealthy }
        let share = "\(well) of \(pool.count) upstreams are healthy"
        let text =
            member.isHealthy
            ? "\(relay.name): \(member.text) is healthy again; \(share)"
            : "\(relay.name): \(member.text) is not healthy: \(member.reason); \(share)"
        changes.health.append(
            PoolChanges.HealthChange(
                relay: relay.name, address: member.text, isHealthy: member.isHealthy, text: text,
                reason: member.isHealthy ? "" : member.reason))
        guard pool.count > 1 || relay.check != nil else { return }
        logger.event(
            member.isHealthy ? .upstreamUp : .upstreamDown, "\(text)",
            metadata: fields(member, relay, well, pool.count))
    }

    private func fields(_ member: PoolMember, _ relay: Relay, _ well: Int, _ count: Int) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "relay": "\(relay.name)", "upstream": "\(member.text)", "healthy": .stringConvertible(well),
            "upstreams": .stringConvertible(count),
        ]
        if !member.isHealthy { fields["reason"] = "\(member.reason)" }
        return fields
    }
}
