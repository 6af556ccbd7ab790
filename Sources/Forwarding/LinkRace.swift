internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Which link a dial starts from. Only the source address is bound: a socket bound to an interface would hand that on to its
/// later subflows.
extension EventLoop {
    /// Settles the order of links for one dial: MPTCP upstreams only, and only where no source is configured.
    mutating func orderLinks(_ slot: UInt32, _ relay: Int) {
        guard ranking.count > 0, let upstream = connections.slots[Int(slot)]?.dial.upstream,
            relays[relay].plan.upstreams[upstream].kind.streamProtocol == .mptcp,
            relays[relay].plan.upstreamSocket.sourceAddress == nil,
            relays[relay].plan.upstreamSocket.interface.isEmpty,
            targets(slot, relay, upstream).contains(where: { !$0.isLoopback })
        else {
            connections.slots[Int(slot)]?.dial.linkOrder = []
            return
        }
        let plan = relays[relay].plan
        if plan.mode == .interactive {
            for position in 0..<ranking.count {
                guard let link = ranking.link(Int8(clamping: position)) else { continue }
                ranking.measured(Int8(clamping: position), roundTrip: accounts.roundTrip(link: link.id))
            }
        }
        let order = ranking.order(now: now, mode: plan.mode, requiresMultipath: plan.requiresMultipath)
        connections.slots[Int(slot)]?.dial.linkOrder = order
    }

    /// The source address of a candidate: `.none` when the routing table chooses, `nil` when the link has none of that kind.
    func sourceAddress(_ position: Int8, _ target: SocketAddress) -> SocketAddress? {
        if position < 0 { return SocketAddress.none }
        guard let link = ranking.link(position) else { return nil }
        return target.family == .ipv6 ? link.ipv6 : link.ipv4
    }

    /// Whether the same is tried already: where the routing table leads is most often over one of the links, and trying that
    /// twice would only hold up the others.
    mutating func isUnderWay(_ slot: UInt32, _ position: Int8, _ address: Int, _ target: SocketAddress) -> Bool {
        guard position >= 0, let link = ranking.link(position), (connections.slots[Int(slot)]?.dial.inFlight ?? 0) > 0
        else { return false }
        var routed: SocketAddress?
        for index in 0..<Tuning.attemptsInFlight {
            guard let raw = connections.slots[Int(slot)]?.dial.socket(index), raw >= 0,
                connections.slots[Int(slot)]?.dial.address(index) == address,
                let otherPosition = connections.slots[Int(slot)]?.dial.link(index),
                let other = ranking.link(otherPosition), other.isRouted != link.isRouted
            else { continue }
            let bound = link.isRouted ? other : link
            let source = target.family == .ipv6 ? bound.ipv6 : bound.ipv4
            routed = routed ?? LocalAddress.source(for: target)
            if let source, let routed, source.with(port: 0) == routed { return true }
        }
        return false
    }

    /// An attempt has connected: its link is good, and those that were tried before it and have not are not.
    mutating func linkWon(_ slot: UInt32, _ link: Int8, after nanoseconds: UInt64) {
        guard link >= 0 else { return }
        ranking.connected(link, after: nanoseconds)
        for index in 0..<Tuning.attemptsInFlight {
            guard let raw = connections.slots[Int(slot)]?.dial.socket(index), raw >= 0,
                let other = connections.slots[Int(slot)]?.dial.link(index), other >= 0, other != link,
                let started = connections.slots[Int(slot)]?.dial.started(index)
            else { continue }
            // It had at least the stagger's head start and four times the winner's time.
            if now.since(started) > 4 * nanoseconds + Tuning.linkHeadStart { ranking.failed(other, now: now) }
        }
    }

    /// Nothing has answered over any link in the upstream's time.
    mutating func linksTimedOut(_ slot: UInt32) {
        for index in 0..<Tuning.attemptsInFlight {
            guard let raw = connections.slots[Int(slot)]?.dial.socket(index), raw >= 0,
                let link = connections.slots[Int(slot)]?.dial.link(index), link >= 0
            else { continue }
            ranking.failed(link, now: now)
        }
    }

    /// An attempt has failed. A refusal is the upstream's answer and says nothing against the link.
    mutating func linkFailed(_ link: Int8, _ error: Errno) {
        guard link >= 0, error != .connectionRefused, error != .connectionReset else { return }
        ranking.failed(link, now: now)
    }
}
