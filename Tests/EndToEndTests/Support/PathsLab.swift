import Lab

/// A near and a far host with two links, "wifi" and "lte", and a Braid on each: what a user with two uplinks has.
///
/// The near end listens on 127.0.0.1:8080 and dials the far end's wifi address; the far end hands on to 127.0.0.1:9000.
final class PathsLab: Sendable {
    let near: Host
    let far: Host
    let wifi: Link
    let lte: Link
    /// Reverse path filters off, routes and rules for both links, no endpoints.
    private init(near: Host, far: Host, wifi: Link, lte: Link) {
        self.near = near
        self.far = far
        self.wifi = wifi
        self.lte = lte
    }

    /// Makes hosts and links.
    ///
    /// - Parameters:
    ///   - wifi: RTT 20 ms, 50 Mbit/s by default.
    ///   - lte: RTT 40 ms, 50 Mbit/s by default.
    static func make(
        in lab: Lab, wifi: LinkProfile = LinkProfile(rate: .mbit(50), delay: .milliseconds(10)),
        lte: LinkProfile = LinkProfile(rate: .mbit(50), delay: .milliseconds(20))
    ) throws -> PathsLab {
        let near = try lab.host("near")
        let far = try lab.host("far")
        let links = try [("wifi", wifi), ("lte", lte)].map { name, profile in
            try lab.link(near, far, name: name, aToB: profile, bToA: profile)
        }
        for link in links { try near.uplink(link) }
        // As the sysctl.d file of the package has it.
        for host in [near, far] {
            try host.sysctl("net.mptcp.blackhole_timeout", "0")
            try host.sysctl("net.ipv4.tcp_notsent_lowat", "65536")
        }
        return PathsLab(near: near, far: far, wifi: links[0], lte: links[1])
    }

    /// `[paths]` of a near end that manages both links.
    static let managed = """
        [paths]
        manage = true
        [[paths.link]]
        interface = "wifi"
        [[paths.link]]
        interface = "lte"

        """

    /// Starts the far end: to `echo://`, or to 127.0.0.1:9000.
    func startFar(
        upstream: String = "tcp://127.0.0.1:9000", paths: String = "[paths]\nmanage = true\n", relay: String = "",
        prefix: [String] = []
    ) async throws -> BraidProcess {
        try await BraidProcess.start(
            """
            \(paths)
            [[relay]]
            name = "far"
            listen = "mptcp://*:7143"
            upstream = "\(upstream)"
            \(relay)
            """, in: far, prefix: prefix)
    }

    /// Starts the near end.
    func startNear(
        paths: String = PathsLab.managed, relay: String = "", prefix: [String] = []
    ) async throws -> BraidProcess {
        try await BraidProcess.start(
            """
            \(paths)
            [[relay]]
            name = "near"
            listen = "tcp://127.0.0.1:8080"
            upstream = "mptcp://\(wifi.address(of: far)):7143"
            \(relay)
            """, in: near, prefix: prefix)
    }

    /// A link by its name.
    func link(_ name: String) -> Link { name == "wifi" ? wifi : lte }

    // MARK: What the kernel has

    /// The near host's endpoints by interface: `["wifi", "wifi", "lte", "lte"]` with IPv4 and IPv6.
    func endpoints() throws -> [String] {
        try near.run("ip", "mptcp", "endpoint", "show").standardOutput.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            return words.firstIndex(of: "dev").map { words[$0 + 1] }
        }.sorted()
    }

    /// How many subflows each connection of the near host has that are established, by the remote end's token.
    func subflows() throws -> [Int] {
        var counts: [Substring: Int] = [:]
        for line in try near.run("ss", "-tniH", "state", "established", "dport", "7143").standardOutput.split(
            separator: "\n")
        where line.contains("tcp-ulp-mptcp") {
            guard let token = line.firstMatch(of: /token:([0-9a-f]+)(?:\(id:\d+\))?\/([0-9a-f]+)/)?.2 else { continue }
            counts[token, default: 0] += 1
        }
        return counts.values.sorted()
    }

    /// Looks until a condition holds: for what the kernel gives no event of to others.
    func until(
        _ what: String, within timeout: Duration = .seconds(10), _ condition: () throws -> Bool
    ) async throws {
        try await eventually(what, within: timeout, condition)
    }
}
