import Lab
import Testing

extension EndToEndSuite {
    /// `max-connections-per-client`.
    @Suite(.serialized) struct ClientLimitTests {
        private static func relay(_ keys: String) -> String {
            "[[relay]]\nname = \"limited\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n\(keys)\n"
        }

        /// Opens a connection from an address and keeps it.
        private static let hold = """
            import socket, sys
            sockets = {}
            for line in sys.stdin:
                verb, name, *more = line.split()
                if verb == "open":
                    # The reset of one that is refused may be there before connect returns.
                    try:
                        s = sockets[name] = socket.create_connection(("127.0.0.1", 8080), 10, (more[0], 0))
                        s.sendall((more[1] + "\\r\\n" if more[1:] else "").replace("_", " ").encode() + b"x")
                        print("in" if s.recv(1) else "out")
                    except OSError: print("out")
                else:
                    sockets[name].close(); print("closed")
            """

        private struct Clients {
            let process: HostProcess

            init(in host: Host) throws {
                process = try host.spawn(["python3", "-uc", ClientLimitTests.hold], input: true)
            }

            func ask(_ command: String) async throws -> String {
                let before = process.lines.count
                try process.write(command + "\n")
                return try await process.line(containing: "", skipping: before)
            }
        }

        @Test func furtherConnectionsOfAClientAreRefused() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    Self.relay("max-connections-per-client = 2"), in: host, daemon: "threads = 2")
                let clients = try Clients(in: host)
                #expect(try await clients.ask("open a 127.0.0.2") == "in")
                #expect(try await clients.ask("open b 127.0.0.2") == "in")
                #expect(try await clients.ask("open c 127.0.0.2") == "out")
                #expect(try await clients.ask("open d 127.0.0.3") == "in")
                let refused = try await braid.connections()[0]
                #expect(refused.result == "refused", "\(refused)")
                #expect(refused["reason"]?.contains("max-connections-per-client") == true, "\(refused)")
                #expect(refused["client"]?.hasPrefix("127.0.0.2:") == true, "\(refused)")
                // A place that is given back is there again, and a reload forgets none that is taken.
                #expect(try await clients.ask("close a") == "closed")
                try await braid.connections(2)
                #expect(try await clients.ask("open e 127.0.0.2") == "in")
                try await braid.reload(
                    Self.relay("max-connections-per-client = 3\nidle-timeout = \"1h\""), daemon: "threads = 2")
                #expect(try await clients.ask("open f 127.0.0.2") == "in")
                #expect(try await clients.ask("open g 127.0.0.2") == "out")
                try await braid.reload(Self.relay(""), daemon: "threads = 2")
                #expect(try await clients.ask("open h 127.0.0.2") == "in")
                #expect(try await clients.ask("open i 127.0.0.2") == "in")
            }
        }

        /// Behind a proxy it is the address of its header that counts, for this and for the rate.
        @Test func theAddressOfTheProxyHeaderCounts() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await BraidProcess.start(
                    Self.relay(
                        """
                        accept-proxy = true
                        max-connections-per-client = 2
                        rate-limit = { connections = "1/m", per = "client" }
                        handshake-timeout = "400ms"
                        allow = ["198.51.100.0/24", "127.0.0.7"]
                        """), in: host)
                let clients = try Clients(in: host)
                func open(_ name: String, _ header: String, from source: String = "127.0.0.1") async throws -> String {
                    try await clients.ask("open \(name) \(source) \(header)")
                }
                let one = "PROXY_TCP4_198.51.100.1_198.51.100.9_1_2"
                let two = "PROXY_TCP4_198.51.100.2_198.51.100.9_1_2"
                // One a minute of each; more would wait for longer than they may.
                #expect(try await open("a", one) == "in")
                #expect(try await open("b", one) == "out")
                #expect(try await open("c", two) == "in")
                #expect(try await open("d", two) == "out")
                // Without addresses the connection's own count.
                #expect(try await open("e", "PROXY_UNKNOWN") == "out")
                #expect(try await open("f", "PROXY_UNKNOWN", from: "127.0.0.7") == "in")
                #expect(try await open("g", "PROXY_TCP4_192.0.2.1_198.51.100.9_1_2", from: "127.0.0.7") == "out")
            }
        }
    }
}
