internal import Paths

/// The largest packets of the links, of their routes, and of the way to a peer.
enum PacketSizeCheck {
    static let name = "mtu"

    /// What IPv6 needs, and what every link of the Internet takes.
    private static let least = 1280
    private static let options = "MPTCP's options take up to 40 bytes of each packet, and IPv6 needs 1280"

    static func examine(_ host: HostState) -> [Finding] {
        let uplinks = host.uplinks
        var findings: [Finding] = []
        for uplink in uplinks where uplink.interface.mtu < least {
            findings.append(
                Finding(
                    .warn, name, "\(uplink.name) passes packets of \(uplink.interface.mtu) bytes at most: \(options)",
                    [.command("ip link set dev \(uplink.interface.name) mtu 1500")]))
        }
        for uplink in uplinks { findings += routes(of: uplink, host) }
        for path in host.peerPaths { findings += judge(path, host) }
        if !findings.isEmpty { return findings }
        if uplinks.isEmpty { return [] }
        return [Finding(.pass, name, sizes(uplinks) + paths(host))]
    }

    private static func sizes(_ uplinks: [Uplink]) -> String {
        guard Set(uplinks.map(\.interface.mtu)).count > 1 else { return "\(uplinks[0].interface.mtu) bytes" }
        let list = uplinks.map { "\($0.name) \($0.interface.mtu)" }.joined(separator: ", ")
        return "\(list): each subflow has its own segment size"
    }

    private static func paths(_ host: HostState) -> String {
        if host.peerPaths.isEmpty { return "" }
        let list = host.peerPaths.map { path in
            let arrival = path.takesFullPackets == true ? ", which arrive" : ""
            return "through \(path.link) \(path.mtu)\(arrival)"
        }
        return "; to the peer \(list.joined(separator: ", "))"
    }

    /// A route may say less than its interface.
    private static func routes(of uplink: Uplink, _ host: HostState) -> [Finding] {
        let answers = host.routedAddresses(of: uplink).compactMap { host.ways[$0]?.bySource }
            .filter { $0.interface == uplink.interface.index }
        let remedy = Remedy.advice(
            "ip route show table all dev \(uplink.interface.name) shows the route; write it again without mtu and advmss"
        )
        if let mtu = answers.compactMap(\.mtu).min(), mtu < least {
            return [
                Finding(
                    .warn, name, "the route by \(uplink.name) says packets of \(mtu) bytes at most: \(options)",
                    [remedy])
            ]
        }
        if let segment = answers.compactMap(\.advertisedSegment).min(), segment < least - 60 {
            return [
                Finding(
                    .warn, name,
                    "the route by \(uplink.name) asks peers for segments of \(segment) bytes at most (advmss): \(options)",
                    [remedy])
            ]
        }
        return []
    }

    private static func judge(_ path: HostState.PeerPath, _ host: HostState) -> [Finding] {
        let interface = host.name(of: path.interface)
        let search = Remedy.advice("ping -M do -s SIZE to the peer finds the largest that passes: SIZE and 28 bytes")
        if path.takesFullPackets == false {
            return [
                Finding(
                    .fail, name,
                    "through \(path.link), packets of \(path.mtu) bytes vanish and short ones arrive: a hop takes less, and its "
                        + "notice (ICMP) does not come back",
                    [.command("ip link set dev \(interface) mtu \(least)"), search])
            ]
        }
        guard path.mtu < least, path.mtu > 0,
            host.table?.interfaces[path.interface].map({ $0.mtu >= least }) ?? true
        else { return [] }
        return [
            Finding(
                .warn, name,
                "the way to the peer through \(path.link) takes packets of \(path.mtu) bytes only: \(options)",
                [.advice("a tunnel on the way, or a route that says so: tracepath tells which hop")])
        ]
    }
}
