import FoundationEssentials
import Glibc
import Lab
import Testing

/// A client of `/v1/events`.
struct EventStream {
    private let process: HostProcess

    /// Begins to listen, and waits until the stream is open.
    init(_ braid: BraidProcess, in host: Host, query: String = "") async throws {
        process = try host.spawn([
            "curl", "-sN", "--unix-socket", braid.socket, "http://localhost/v1/events\(query)",
        ])
        try await process.line(containing: "retry:", timeout: .seconds(20))
        // The loops list connections after they have heard that somebody listens.
        try host.run("curl", "-sS", "--unix-socket", braid.socket, "http://localhost/v1/connections")
    }

    /// What has come so far, in order.
    var events: [(kind: String, data: JSON)] {
        var events: [(kind: String, data: JSON)] = []
        var kind = ""
        for line in process.lines {
            if line.hasPrefix("event: ") { kind = String(line.dropFirst(7)) }
            guard line.hasPrefix("data: "), let data = try? JSON.parse(String(line.dropFirst(6))) else { continue }
            events.append((kind, data))
        }
        return events
    }

    /// Waits for an event behind the first `skipping` ones.
    ///
    /// - Returns: its data, and how many events there are up to it.
    @discardableResult
    func event(
        _ kind: String, skipping: Int = 0, _ isWanted: (JSON) -> Bool = { _ in true }
    ) async throws -> (data: JSON, count: Int) {
        var found: (data: JSON, count: Int)?
        try await eventually("the event \(kind)") {
            let events = self.events
            found = events.indices.dropFirst(skipping).first { events[$0].kind == kind && isWanted(events[$0].data) }
                .map { (events[$0].data, $0 + 1) }
            return found != nil
        }
        guard let found else { throw LabError("the event \(kind)") }
        return found
    }
}

extension EndToEndSuite {
    /// Everything that the event stream promises to tell.
    @Suite(.serialized) struct EventStreamTests {
        private static func isOver(_ link: String) -> (JSON) -> Bool { { $0["link"]?.text == link } }

        @Test func linksAndSubflows() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let braid = try await paths.startNear()
                let stream = try await EventStream(braid, in: paths.near)
                let peer = try Peer(in: paths.near)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                let connection = try await stream.event("connection-opened").data["connection"]?.number
                var last = try await stream.event("subflow-opened", Self.isOver("lte"))
                #expect(last.data["connection"]?.number == connection, "\(last)")
                #expect(last.data["relay"]?.text == "near" && last.data["leg"]?.text == "upstream", "\(last)")
                #expect(last.data["local"]?.text?.hasPrefix(paths.lte.address(of: paths.near) + ":") == true, "\(last)")
                #expect(last.data["remote"]?.text?.hasSuffix(":7143") == true, "\(last)")
                let opened = last.data["local"]

                // Nothing is sent: the kernel's events tell.
                try paths.lte.carrier(down: true)
                let down = try await stream.event("link-down", skipping: last.count, Self.isOver("lte"))
                #expect(down.data["state"]?.text == "no-carrier", "\(down)")
                last = try await stream.event("subflow-closed", skipping: last.count, Self.isOver("lte"))
                #expect(last.data["connection"]?.number == connection && last.data["local"] == opened, "\(last)")
                try paths.lte.carrier(down: false)
                try await stream.event("link-up", skipping: last.count, Self.isOver("lte"))
                last = try await stream.event("subflow-opened", skipping: last.count, Self.isOver("lte"))
                #expect(last.data["connection"]?.number == connection, "\(last)")

                for (flag, kind) in [("--backup", "link-backup"), ("--no-backup", "link-primary")] {
                    let output = try BraidProgram.run(["link", "lte", flag, "--socket", braid.socket], in: paths.near)
                    #expect(output.status == .exited(0), "\(output.standardError)")
                    let role = try await stream.event(kind, Self.isOver("lte"))
                    #expect(role.data["backup"]?.flag == (flag == "--backup"), "\(role)")
                }
                try await peer.must("c close")
                let closed = try await stream.event("connection-closed")
                #expect(closed.data["connection"]?.number == connection, "\(closed)")

                // Who comes later is told of the rare ones.
                let late = try await EventStream(braid, in: paths.near, query: "?replay=100&connections=0")
                try await late.event("link-primary")
                let kinds = Set(late.events.map(\.kind))
                #expect(kinds.isSuperset(of: ["link-up", "link-down", "link-backup", "link-primary"]))
                #expect(kinds.isDisjoint(with: ["connection-opened", "subflow-opened", "subflow-closed"]))
            }
        }

        /// Without rights the loops see it when data moves, also for a connection that was there before.
        @Test func subflowsWithoutRights() async throws {
            try #require(getuid() == 0, "as another user this test needs the machine's root")
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
                let braid = try await BraidProcess.start(
                    """
                    [admin]
                    http = "127.0.0.1:9180"
                    [[paths.link]]
                    interface = "wifi"
                    [[paths.link]]
                    interface = "lte"
                    [[relay]]
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "mptcp://\(paths.wifi.address(of: paths.far)):7143"
                    """, in: paths.near, prefix: drop)
                let traffic = try Peer(in: paths.near)
                try await traffic.must("c connect 127.0.0.1 8080")
                try await traffic.must("c send hello")
                #expect(try await traffic.must("c read 5") == "hello")
                let stream = try paths.near.spawn(["curl", "-sN", "http://127.0.0.1:9180/v1/events"])
                try await stream.line(containing: "retry:", timeout: .seconds(20))
                try paths.near.run("curl", "-sS", "http://127.0.0.1:9180/v1/connections")
                try paths.near.run(
                    "ip", "mptcp", "endpoint", "add", paths.lte.address(of: paths.near), "dev", "lte", "subflow")
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                func talk(until kind: String) async throws {
                    let deadline = ContinuousClock.now + .seconds(20)
                    while !stream.lines.contains("event: \(kind)"), ContinuousClock.now < deadline {
                        try await traffic.must("c send hello")
                        try await traffic.must("c read 5")
                    }
                    let data = try await stream.line(containing: "\"link\":\"lte\"")
                    #expect(data.contains("\"local\":\"\(paths.lte.address(of: paths.near)):"), "\(data)")
                    #expect(stream.lines.contains("event: \(kind)"), "\(braid.records.suffix(5))")
                }
                try await talk(until: "subflow-opened")
                try paths.near.run("ip", "mptcp", "endpoint", "flush")
                try await paths.until("one subflow") { try paths.subflows() == [1] }
                try await talk(until: "subflow-closed")
            }
        }

        @Test func fallbacksAndReloads() async throws {
            try await Lab.with { lab in
                let relay =
                    "\n[[relay]]\nname = \"plain\"\nlisten = \"tcp://127.0.0.1:8082\"\nupstream = \"mptcp://127.0.0.1:9001\"\n"
                let admin = try await AdminLab(AdminLab.relays + relay, in: try lab.host("alone"))
                _ = try await NamedServers(in: admin.host, ports: [9001])
                let stream = try await EventStream(admin.braid, in: admin.host)
                // An upstream that knows no MPTCP.
                let peer = try Peer(in: admin.host)
                for name in ["a", "b"] {
                    try await peer.must("\(name) connect 127.0.0.1 8082")
                    try await peer.must("\(name) send who")
                    #expect(try await peer.must("\(name) read 4") == "9001")
                }
                let fallback = try await stream.event("fallback")
                #expect(fallback.data["relay"]?.text == "plain", "\(fallback)")
                #expect(fallback.data["client"]?.text?.hasPrefix("127.0.0.1:") == true, "\(fallback)")
                #expect(fallback.data["upstream"]?.text == "mptcp://127.0.0.1:9001", "\(fallback)")
                #expect(fallback.data["reason"]?.text?.isEmpty == false, "\(fallback)")
                for name in ["a", "b"] { try await peer.must("\(name) close") }
                let count = try await stream.event("connection-closed").count
                try await stream.event("connection-closed", skipping: count) { $0["multipath"]?.text == "fallback" }
                // One tells enough, for a while.
                #expect(stream.events.count { $0.kind == "fallback" } == 1)

                try await admin.braid.reload(AdminLab.relays)
                try await stream.event("reload") { $0["good"]?.flag == true }
                try await admin.braid.reload("nonsense")
                try await stream.event("reload") { $0["good"]?.flag == false }
            }
        }

        @Test func healthOfUpstreams() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    """
                    [[relay]]
                    name = "checked"
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "tcp://127.0.0.1:9001"
                    health-check = { interval = "100ms", timeout = "1s", rise = 1, fall = 1 }
                    """, in: host)
                let stream = try await EventStream(braid, in: host, query: "?replay=10")
                let down = try await stream.event("upstream-down")
                #expect(down.data["relay"]?.text == "checked" && down.data["healthy"]?.flag == false, "\(down)")
                #expect(down.data["upstream"]?.text?.contains("127.0.0.1:9001") == true, "\(down)")
                _ = try await NamedServers(in: host, ports: [9001])
                try await stream.event("upstream-up", skipping: down.count) { $0["healthy"]?.flag == true }
            }
        }

        /// A listener that does not keep up misses some, and is told how many.
        @Test func whoReadsTooSlowlyIsToldWhatWasMissed() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"), daemon: "log-connections = false")
                let output = try admin.host.run(
                    [
                        "python3", "-c",
                        """
                        import socket, sys, time
                        # A Unix socket: what waits in it is bounded, and does not grow with time as with TCP.
                        s = socket.socket(socket.AF_UNIX); s.settimeout(15)
                        s.connect(sys.argv[1])
                        s.sendall(b'GET /v1/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                        seen = s.recv(4096)
                        for n in range(1200):
                            c = socket.create_connection(('127.0.0.1', 8080)); c.sendall(b'x'); c.recv(1); c.close()
                        end = time.monotonic() + 15
                        while b'event: missed' not in seen or b'"events":' not in seen[seen.index(b'event: missed'):]:
                            if time.monotonic() > end: sys.exit('nothing is said to be missed: %d' % len(seen))
                            seen += s.recv(65536)
                        missed = int(seen[seen.index(b'event: missed'):].split(b'"events":')[1].split(b'}')[0])
                        print('ok' if missed > 0 else missed)
                        """, admin.braid.socket,
                    ], timeout: .seconds(90))
                #expect(output.standardOutput == "ok\n")
            }
        }
    }
}
