import Lab
import Testing

extension EndToEndSuite {
    /// What is logged of those who are turned away, with `log-connections = false`.
    @Suite(.serialized) struct RefusalLogTests {
        private static let config = """
            [[relay]]
            name = "web"
            listen = "http://127.0.0.1:3128"
            upstream = "direct+tcp://"
            destinations = { allow = ["127.0.0.1:9000"] }
            handshake-timeout = "200ms"
            [[relay]]
            name = "proxied"
            listen = "tcp://127.0.0.1:8080"
            upstream = "echo://"
            accept-proxy = true
            [[relay]]
            name = "closed"
            listen = "tcp://127.0.0.1:8081"
            upstream = "echo://"
            deny = ["127.0.0.0/8"]
            """

        @Test func everyKindOfRefusalIsSaid() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let braid = try await BraidProcess.start(Self.config, in: host, daemon: "log-connections = false")
                #expect(
                    try host.curl("--proxytunnel", "--proxy", "http://127.0.0.1:3128", "http://127.0.0.1:9000/")
                        .contains("200"))
                let peer = try Peer(in: host)
                try await peer.must("a connect 127.0.0.1 3128")
                #expect(try await peer.must("a send CONN") == "")
                #expect(try await peer.ask("a end") == "ECONNRESET")
                try await peer.must("b connect 127.0.0.1 8080")
                try await peer.must("b send nonsense")
                #expect(try await peer.ask("b end") == "ECONNRESET")
                // The reset may be there before the connect is told of.
                _ = try await peer.ask("c connect 127.0.0.1 8081")
                let records = try await braid.connections(3)
                #expect(
                    Set(records.map(\.result)) == ["handshake-timeout", "handshake-failed", "refused"], "\(records)")
            }
        }

        @Test func manyOfThemDoNotFillTheLog() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.config, in: host, daemon: "log-connections = false")
                let count = 1500
                try host.run(
                    [
                        "python3", "-c",
                        """
                        import socket, sys
                        for _ in range(int(sys.argv[1])):
                            try: socket.create_connection(("127.0.0.1", 8081), 10).recv(1)
                            except ConnectionResetError: pass
                        """, "\(count)",
                    ], timeout: .seconds(60))
                // What is not said is counted, and nothing twice.
                let deadline = ContinuousClock.now + .seconds(10)
                var logged = 0
                var counted = 0
                repeat {
                    logged = braid.records("connection-ended").count
                    counted = braid.records("refusals-suppressed").reduce(0) { $0 + ($1.number("records") ?? 0) }
                    if logged + counted == count { break }
                    try await Task.sleep(for: .milliseconds(50))
                } while ContinuousClock.now < deadline
                #expect(logged + counted == count, "\(logged) and \(counted)")
                #expect(logged >= 100 && counted > 0, "\(logged) and \(counted)")
                // A hundred a second.
                let summaries = braid.records("refusals-suppressed").count
                #expect(logged <= 100 * (summaries + 2), "\(logged) and \(summaries)")
            }
        }
    }
}
