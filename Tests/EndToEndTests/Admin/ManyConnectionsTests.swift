import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Long lists: whole, streamed, and without a cost to those who do not ask.
    @Suite(.serialized) struct ManyConnectionsTests {
        @Test func everyConnectionIsListedOnce() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let count = 1000
                let crowd = try admin.host.spawn(
                    [
                        "python3", "-uc",
                        """
                        import socket, sys
                        crowd = [socket.create_connection(('127.0.0.1', 8080)) for n in range(\(count))]
                        for s in crowd: s.sendall(b'x')
                        for s in crowd: s.recv(1)
                        print('here', flush=True)
                        sys.stdin.read()
                        """,
                    ], input: true)
                try await crowd.line(containing: "here", timeout: .seconds(60))
                let before = try admin.braid.residentBytes()
                for _ in 0..<4 {
                    let listed = try JSON.parse(try admin.command("connections", "--json").standardOutput)
                    #expect(listed.list.count == 2 * count)
                    #expect(Set(listed.list.compactMap { $0["id"]?.number }).count == 2 * count)
                    #expect(listed.list.allSatisfy { $0["subflows"]?.list.count == 1 })
                }
                // What was listed is let go again.
                #expect(try admin.braid.residentBytes() < before + 24 << 20)
                let busiest = try JSON.parse(try admin.owner("/v1/busiest?limit=7&search=near").body)
                #expect(busiest["total"]?.number == Double(2 * count))
                #expect(busiest["matching"]?.number == Double(count))
                #expect(busiest["connections"]?.list.count == 7)
                #expect(busiest["multipath"]?.number == Double(2 * count))
            }
        }

        /// Twenty thousand connections in one daemon, or as many as this system lets one process have.
        @Test(.timeLimit(.minutes(3))) func twentyThousandAreListedAndNoLoopIsHeldUp() async throws {
            try await Lab.with { lab in
                var limit = rlimit()
                getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
                // A connection to echo:// is one descriptor; the rest is for pipes, listeners and the admin interface.
                let count = min(20_000, (Int(clamping: limit.rlim_max) - 600) / 8 * 8)
                let ports = Array(8000..<8008)
                let listen = ports.map { "\"mptcp://127.0.0.1:\($0)\"" }.joined(separator: ", ")
                let host = try lab.host("alone")
                try host.sysctl("net.ipv4.ip_local_port_range", "10000 65535")
                let admin = try await AdminLab(
                    """
                    [admin]
                    http = "127.0.0.1:9180"
                    [limits]
                    connections = \(count + 100)
                    [[relay]]
                    name = "many"
                    listen = [\(listen)]
                    upstream = "echo://"

                    """, in: host, daemon: "log-connections = false")
                // Two clients, each with half of the ports and of the descriptors.
                var crowd: [HostProcess] = []
                for half in 0..<2 {
                    let its = ports[(half * 4)..<(half * 4 + 4)].map(String.init)
                    crowd.append(
                        try host.spawn(["python3", "-uc", Self.crowd, "\(count / 2)"] + its, input: true))
                }
                for each in crowd { try await each.line(containing: "here", timeout: .seconds(90)) }

                // A loop that is ready to run may have to wait for a processor: one list of five has to show it.
                var longest: [Int] = []
                for _ in 1...5 where longest.last != 0 {
                    let before = try turns(admin)
                    let began = ContinuousClock.now
                    let output = try host.run(
                        ["sh", "-c", "\"$0\" connections --json | python3 -c \"$1\"", BraidProgram.path, Self.reader],
                        environment: ["BRAID_SOCKET": admin.braid.socket], timeout: .seconds(60))
                    let took = ContinuousClock.now - began
                    let after = try turns(admin)
                    // Each once, each with its subflow.
                    #expect(output.standardOutput == "\(count) \(count) \(count)\n", "\(output.standardError)")
                    longest.append(after.long - before.long)
                    print(
                        "listing \(count) connections took \(took): \(after.all - before.all) turns of the loops,",
                        "\(after.short - before.short) up to 1 ms, \(longest.last ?? 0) longer than 5 ms")
                }
                #expect(longest.last == 0, "turns longer than 5 ms in each list: \(longest)")
            }
        }

        /// How many turns the loops have had: all, those of up to 1 ms, those longer than 5 ms.
        private func turns(_ admin: AdminLab) throws -> (all: Int, short: Int, long: Int) {
            let text = try admin.reader("/metrics").body
            func sum(_ end: String) -> Int {
                text.split(separator: "\n").filter { $0.hasPrefix("braid_loop_turn_seconds_") && $0.contains(end) }
                    .reduce(0) { $0 + (Int($1.split(separator: " ").last ?? "") ?? 0) }
            }
            let all = sum("_count{")
            return (all, sum("le=\"0.001\"}"), all - sum("le=\"0.005\"}"))
        }

        /// Opens COUNT MPTCP connections to the PORTs in turn, exchanges a byte over each, and holds them.
        private static let crowd = """
            import resource, socket, sys
            count, ports = int(sys.argv[1]), [int(port) for port in sys.argv[2:]]
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            crowd = []
            for n in range(count):
                s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
                s.connect(('127.0.0.1', ports[n % len(ports)])); s.sendall(b'x'); s.recv(1)
                crowd.append(s)
            print('here', flush=True)
            sys.stdin.read()
            """

        /// Prints of a list how many there are, how many different ones, and how many with one subflow.
        private static let reader = """
            import json, sys
            rows = json.load(sys.stdin)
            print(len(rows), len({row['id'] for row in rows}), sum(len(row['subflows']) == 1 for row in rows))
            """

        @Test func aReaderThatBreaksOffOrDawdlesHoldsNothingUp() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let output = try admin.host.run(
                    [
                        "python3", "-c",
                        """
                        import socket, time
                        crowd = [socket.create_connection(('127.0.0.1', 8080)) for n in range(1500)]
                        for s in crowd: s.sendall(b'x')
                        for s in crowd: s.recv(1)
                        slow = []
                        for n in range(20):
                            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                            s.connect(('127.0.0.1', 9180))
                            s.sendall(b'GET /v1/connections HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
                            if n % 2: s.close()
                            else: slow.append(s)
                        worst = 0
                        for n in range(200):
                            began = time.monotonic(); crowd[0].sendall(b'x'); crowd[0].recv(1)
                            worst = max(worst, time.monotonic() - began)
                        print('ok' if worst < 1 else worst)
                        """,
                    ], timeout: .seconds(60))
                #expect(output.standardOutput == "ok\n")
                let listed = try admin.command("connections", "--json")
                #expect(listed.status == .exited(0), "\(listed.standardError)")
            }
        }
    }
}
