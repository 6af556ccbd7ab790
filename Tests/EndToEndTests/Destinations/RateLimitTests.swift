import Lab
import Testing

extension EndToEndSuite {
    /// `rate-limit` and `allow`.
    @Suite(.serialized) struct RateLimitTests {
        private func measure(_ program: String, _ limit: String, in host: Host) async throws -> [Double] {
            _ = try await BraidProcess.start(
                """
                [[relay]]
                listen = "tcp://127.0.0.1:8080"
                upstream = "tcp://127.0.0.1:9000"
                rate-limit = { \(limit) }
                """, in: host)
            let sink = try host.spawn(["python3", "-uc", Self.sink])
            try await host.waitForListener(port: 9000, of: sink)
            let output = try host.run(["python3", "-uc", program], timeout: .seconds(60))
            return output.standardOutput.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        }

        @Test func bandwidthIsWithinFivePercentAndFair() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let rates = try await measure(Self.download, "bandwidth = \"40Mbit\"", in: host)
                try #require(rates.count == 4)
                let sum = rates.reduce(0, +)
                #expect((38...42).contains(sum), "\(rates)")
                #expect((rates.min() ?? 0) > 0.8 * (rates.max() ?? 0), "\(rates)")
            }
        }

        @Test func connectionsWaitForTheirTurn() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let times = try await measure(Self.connect, "connections = \"50/s\"", in: host)
                // 200 of them at once, of which a tenth of a second's worth goes at once.
                #expect((3.6...4.3).contains(times[0]), "\(times)")
            }
        }

        @Test func clientsHaveRatesOfTheirOwn() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let program = Self.connect.replacing("source = None", with: "source = (f'127.0.0.{i % 2 + 1}', 0)")
                let times = try await measure(program, "connections = \"50/s\", per = \"client\"", in: host)
                #expect((1.6...2.3).contains(times[0]), "\(times)")
            }
        }

        @Test func whoIsNotLetInIsNotHeard() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = "tcp://*:8080"
                    upstream = "echo://"
                    allow = ["127.0.0.0/8"]
                    deny = ["127.0.0.3"]
                    """, in: host)
                func say(from source: String, to target: String = "127.0.0.1") throws -> String {
                    try host.run(
                        ["nc", "-N", "-s", source, target, "8080"], input: "hello", expecting: nil
                    ).standardOutput
                }
                #expect(try say(from: "127.0.0.2") == "hello")
                #expect(try say(from: "127.0.0.3") == "")
                #expect(try say(from: "::1", to: "::1") == "")
                let results = try await braid.connections(3).map(\.result).sorted()
                #expect(results == ["closed", "refused", "refused"])
            }
        }

        /// Sends without end to whoever connects, and ends when he does.
        private static let sink = """
            import socket, threading
            l = socket.create_server(("127.0.0.1", 9000), backlog=512)
            def serve(s):
                try:
                    if s.recv(1) == b"d":
                        while True: s.sendall(bytes(65536))
                    s.sendall(b"x")
                except OSError: pass
                s.close()
            while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
            """
        private static let download = """
            import socket, threading, time
            end = time.time() + 10
            total = [0] * 4
            def get(i):
                s = socket.create_connection(("127.0.0.1", 8080)); s.sendall(b"d"); s.settimeout(1)
                while time.time() < end: total[i] += len(s.recv(1 << 20))
            threads = [threading.Thread(target=get, args=(i,)) for i in range(4)]
            for t in threads: t.start()
            for t in threads: t.join()
            print(*[t * 8 / 10 / 1e6 for t in total])
            """
        private static let connect = """
            import socket, time
            began = time.time()
            sockets = []
            for i in range(200):
                source = None
                s = socket.create_connection(("127.0.0.1", 8080), source_address=source); s.sendall(b"c"); sockets.append(s)
            for s in sockets:
                s.settimeout(10)
                assert s.recv(1) == b"x"
            print(time.time() - began)
            """
    }
}
