internal import LinuxSystem
internal import MultipathTCP
internal import Paths
internal import SystemPackage

/// Whether MPTCP survives the way to a peer, through each link alone, and whether a second subflow joins.
struct PeerCheck {
    let host: HostState
    let target: Doctor.Target
    let addresses: [SocketAddress]
    let cancellation: CInt?

    /// The kernel gives MPTCP up at the third SYN, after three seconds, and remembers it for all connections
    /// (`net.mptcp.blackhole_timeout`): a connection is given up before.
    private static let patience = Duration.milliseconds(2800)
    private static let answerPatience = Duration.seconds(1)
    private static let greeting = Array("braid doctor\r\n".utf8)

    /// What was found, and what was seen of the paths.
    struct Answer {
        var findings: [Finding] = []
        var paths: [HostState.PeerPath] = []
    }

    func examine() -> Answer {
        guard !addresses.isEmpty else {
            return Answer(findings: [
                Finding(
                    .fail, "peer", "\(target) has no address: the name is not known",
                    [.advice("correct the name, or the resolver: getent ahosts \(target.host)")])
            ])
        }
        let families = Set(addresses.map(\.family))
        let sources = host.uplinks.flatMap { uplink in
            [SocketAddress.Family.ipv4, .ipv6].compactMap { family in
                // One address of each family is enough to know the link.
                families.contains(family)
                    ? uplink.addresses.first { $0.family == family }.map { (uplink, $0) } : nil
            }
        }
        var answer = Answer()
        for (uplink, source) in sources {
            answer.findings.append(examine(uplink, source, &answer.paths))
        }
        if sources.isEmpty {
            answer.findings.append(direct())
        } else {
            answer.findings.append(join())
        }
        return answer
    }

    /// One link alone: a socket bound to its address, and to its interface where the routing table would have packets from
    /// that address leave by another one, which would say nothing about this link.
    private func examine(
        _ uplink: Uplink, _ source: SocketAddress, _ paths: inout [HostState.PeerPath]
    ) -> Finding {
        let check = "peer"
        let place = Place(uplink: uplink, source: source, strays: stray(uplink, source) != nil)
        let astray = stray(uplink, source).map { ", by its interface since \($0) (see routes)," } ?? ""
        let way = "through \(uplink.name) (\(source.host))\(astray) to \(target)"
        do throws(DialError) {
            let connection = try dial(from: place, multipath: true)
            let answered = exchange(connection)
            if let path = look(connection, place) { paths.append(path) }
            if let reason = connection.notMultipathReason {
                return Finding(
                    .fail, check, "\(way): connected, but not multipath: \(reason)", [advice(reason, uplink)])
            }
            return Finding(
                .pass, check,
                answered
                    ? "\(way): multipath, with bytes both ways"
                    : "\(way): multipath; the peer answered no bytes, so what the path does to data is not known")
        } catch {
            return unreachable(error, place, way)
        }
    }

    /// A link to try.
    private struct Place {
        let uplink: Uplink
        let source: SocketAddress
        /// Packets from its address would leave by another link.
        let strays: Bool
    }

    /// Where packets from a link's address go instead; `nil` when they leave by it.
    private func stray(_ uplink: Uplink, _ source: SocketAddress) -> String? {
        guard let ways = host.ways[source] else { return nil }
        guard let way = ways.bySource else { return "nothing else leads there from that address" }
        if way.interface == uplink.interface.index { return nil }
        return "packets from that address leave by \(host.name(of: way.interface))"
    }

    /// What the first subflow shows of its path: the others may be on other links.
    private func look(_ connection: MultipathConnection, _ place: Place) -> HostState.PeerPath? {
        let full = sendFullPackets(connection, place.source)
        guard let subflow = first(connection, place.source) else { return nil }
        return HostState.PeerPath(
            link: place.uplink.name, interface: place.uplink.interface.index,
            roundTrip: subflow.tcp.minimumRoundTripMicroseconds, mtu: Int(subflow.tcp.pathMTU),
            takesFullPackets: full)
    }

    private func first(_ connection: MultipathConnection, _ source: SocketAddress) -> Subflow? {
        (try? connection.subflows())?.first { $0.local.unmapped.isSameHost(as: source) }
    }

    /// Sends some full packets, and waits for the kernel there to acknowledge them, whatever its program makes of them: where
    /// large packets vanish without a word, a short line says nothing.
    ///
    /// - Returns: `nil` when the peer ended the connection, or another subflow took the bytes.
    private func sendFullPackets(_ connection: MultipathConnection, _ source: SocketAddress) -> Bool? {
        guard let before = first(connection, source)?.tcp else { return nil }
        let lines = [[UInt8]](repeating: Self.greeting, count: 4096 / Self.greeting.count + 1).flatMap(\.self)
        guard (try? connection.send(lines, timeout: Self.answerPatience)) != nil else { return nil }
        let deadline = ContinuousClock.now + Self.answerPatience
        while ContinuousClock.now < deadline {
            guard let now = first(connection, source)?.tcp, now.state == .established else { return nil }
            if now.bytesAcknowledged >= before.bytesAcknowledged + UInt64(before.segmentSize),
                now.unacknowledgedSegments == 0
            {
                return true
            }
            // Waits for an echo, which does not matter; the end of the stream does.
            if let answer = try? connection.receive(upTo: 8192, timeout: .milliseconds(20)), answer.isEmpty {
                return nil
            }
        }
        guard let last = first(connection, source)?.tcp, last.retransmits > before.retransmits else { return nil }
        return last.bytesAcknowledged < before.bytesAcknowledged + UInt64(before.segmentSize) ? false : nil
    }

    private func unreachable(_ error: DialError, _ place: Place, _ way: String) -> Finding {
        let works = (try? dial(from: place, multipath: false)) != nil
        if works {
            return Finding(
                .fail, "peer",
                "\(way): SYNs with MPTCP get no answer, one without does: something on the way drops them",
                [
                    .advice(
                        "ask the provider of \(place.uplink.name), or tunnel that link; or look for rules: nft list ruleset, at both ends"
                    )
                ])
        }
        return Finding(
            .fail, "peer", "\(way): no connection, over plain TCP neither: \(error)",
            [.advice("see the check routes; is the peer listening there (ss -ltnp), and is its firewall open?")])
    }

    /// Where no link was recognised.
    private func direct() -> Finding {
        do throws(DialError) {
            let connection = try dial(from: nil, multipath: true)
            let answered = exchange(connection)
            if let reason = connection.notMultipathReason {
                return Finding(
                    .fail, "peer", "to \(target): connected, but not multipath: \(reason)",
                    [.advice("look at the peer (braid doctor there) and at what is between")])
            }
            return Finding(.pass, "peer", "to \(target): multipath\(answered ? ", with bytes both ways" : "")")
        } catch {
            return Finding(
                .fail, "peer", "to \(target): no connection: \(error)",
                [.advice("is the peer listening there (ss -ltnp), and is its firewall open?")])
        }
    }

    /// Whether a second subflow joins a connection, as daemons make it.
    private func join() -> Finding {
        let check = "second-subflow"
        guard host.uplinks.count > 1 else {
            return Finding(.pass, check, "not tried: there is one link only")
        }
        guard let paths = host.paths, paths.endpoints.contains(where: { $0.flags.contains(.subflow) }) else {
            return Finding(
                .warn, check, "not tried: there are no endpoints to open a second subflow from",
                [.advice("mend the check endpoints first")])
        }
        do throws(DialError) {
            let before = try? KernelCounters.read()
            let connection = try dial(from: nil, multipath: true)
            _ = exchange(connection)
            if let reason = connection.notMultipathReason {
                return Finding(
                    .fail, check, "the connection to \(target) is not multipath: \(reason)",
                    [.advice("mend the lines peer above first")])
            }
            if let count = awaitJoin(connection) {
                return Finding(.pass, check, "\(count) subflows on a connection to \(target)")
            }
            return notJoined(before)
        } catch {
            return Finding(
                .fail, check, "no connection to \(target): \(error)", [.advice("mend the lines peer above first")])
        }
    }

    /// No event tells without privileges, so it looks every few milliseconds.
    private func awaitJoin(_ connection: MultipathConnection) -> Int? {
        let deadline = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < deadline {
            let joined = confirmed(connection)
            if joined > 0 { return joined + 1 }
            // Waits for bytes that do not come, no longer than this.
            _ = try? connection.receive(upTo: 1, timeout: .milliseconds(20))
        }
        return nil
    }

    /// Subflows besides the first that the peer has confirmed: those that only were tried are listed too.
    private func confirmed(_ connection: MultipathConnection) -> Int {
        guard let reader = try? SubflowRoleReader(), let subflows = try? connection.subflows() else { return 0 }
        return subflows.count { subflow in
            guard let role = try? reader.role(of: subflow) else { return false }
            return role.isAdditional && role.isFullyEstablished
        }
    }

    private func notJoined(_ before: KernelCounters?) -> Finding {
        let check = "second-subflow"
        let now = try? KernelCounters.read()
        let grew = { (name: String) -> UInt64 in
            guard let before, let now else { return 0 }
            return now.growth(of: "MPTcpExt\(name)", since: before)
        }
        if grew("MPJoinSynTx") == 0 {
            return Finding(
                .fail, check, "none was tried within 3 s: the kernel opens none from the endpoints there are",
                [
                    .advice(
                        "mend the checks limits, endpoints and routes; or the peer forbids it (its net.mptcp.allow_join_initial_addr_port is 0)"
                    )
                ])
        }
        if grew("MPJoinSynAckRx") == 0 {
            return Finding(
                .fail, check, "tried, but the peer did not answer",
                [
                    .advice(
                        "at the peer: ip mptcp limits set subflow 8 add_addr_accepted 8; on the way: see rp-filter, routes and peer above"
                    )
                ])
        }
        return Finding(
            .fail, check, "the peer answered, and then refused the subflow",
            [
                .advice(
                    "at the peer: ip mptcp limits set subflow 8 add_addr_accepted 8; if it has that, a proxy on the way does it"
                )
            ])
    }

    // MARK: Connections

    private func dial(from place: Place?, multipath: Bool) throws(DialError) -> MultipathConnection {
        var dialer = MultipathDialer()
        dialer.multipath = multipath
        dialer.source = place?.source
        if let place, place.strays { dialer.interface = place.uplink.interface.name }
        dialer.timeout = Self.patience
        dialer.cancellation = cancellation
        return try dialer.connect(toAnyOf: addresses)
    }

    /// Sends a line and waits for an answer: an echo gives it back, many servers complain; some wait for more.
    private func exchange(_ connection: MultipathConnection) -> Bool {
        do throws(Errno) {
            try connection.send(Self.greeting, timeout: Self.answerPatience)
            return !(try connection.receive(upTo: 256, timeout: Self.answerPatience)).isEmpty
        } catch {
            return false
        }
    }

    private func advice(_ reason: NotMultipathReason, _ uplink: Uplink) -> Remedy {
        switch reason {
        case .disabledBySysctl, .kernelWithoutMPTCP, .refusedBySystem, .blackholeDetected:
            .advice("mend what is said above about this host")
        case .fellBackLater: .advice("ask the provider of \(uplink.name) about its TCP proxy, or tunnel that link")
        default:
            .advice(
                "at the peer: sysctl net.mptcp.enabled, and does its program listen on MPTCP; if another link is multipath to it, "
                    + "\(uplink.name) strips the option: tunnel that link")
        }
    }
}
