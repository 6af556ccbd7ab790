import Lab
import Testing

extension EndToEndSuite {
    /// `rate-limit` with several clients: each gets the same, whatever number of connections it opens.
    @Suite(.serialized) struct FairShareTests {
        private static func relay(_ limit: String, _ more: String = "") -> String {
            """
            [[relay]]
            name = "limited"
            listen = "tcp://127.0.0.1:8080"
            upstream = "tcp://127.0.0.1:9000"
            handshake-timeout = "20s"
            rate-limit = { \(limit) }
            \(more)

            """
        }

        /// Ten connections of one client and one of another, for so many seconds.
        ///
        /// - Returns: bits a second of each client, each measured for itself after the first half second.
        private func shares(_ direction: String, seconds: Double, in host: Host) throws -> (ten: Double, one: Double) {
            let output = try host.run(
                ["python3", "-uc", Self.clients, direction, "\(seconds)", "127.0.0.2:10", "127.0.0.3:1"],
                timeout: .seconds(60))
            let rates = (output.standardOutput.split(separator: "\n").last ?? "").split(separator: " ").compactMap {
                Double($0)
            }
            try #require(rates.count == 2, "\(output.standardOutput) \(output.standardError)")
            return (rates[0], rates[1])
        }

        private func withLimit(
            _ limit: String, _ body: (Host, BraidProcess) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay(limit), in: host, daemon: "threads = 2")
                let server = try host.spawn(["python3", "-uc", Self.server])
                try await host.waitForListener(port: 9000, of: server)
                try await body(host, braid)
            }
        }

        private static let seconds = Soak.isWanted ? 10.0 : 3.0

        @Test(arguments: ["d", "u"]) func tenConnectionsGetNoMoreThanOne(direction: String) async throws {
            try await withLimit("bandwidth = \"40Mbit\"") { host, braid in
                let before = try braid.contextSwitches()
                let rates = try shares(direction, seconds: Self.seconds, in: host)
                let wakeUps = try Double(braid.contextSwitches() - before) / (Self.seconds + 0.5)
                #expect((38e6...42e6).contains(rates.ten + rates.one), "\(rates)")
                #expect((0.8...1.25).contains(rates.ten / rates.one), "\(rates)")
                // A hundred turns a second, and some wake-ups for each: nobody is asked in vain.
                #expect(wakeUps < 1500, "\(wakeUps)")
            }
        }

        @Test func eachClientHasItsOwn() async throws {
            try await withLimit("bandwidth = \"20Mbit\", per = \"client\"") { host, _ in
                let rates = try shares("d", seconds: Self.seconds, in: host)
                #expect((19e6...21e6).contains(rates.ten) && (19e6...21e6).contains(rates.one), "\(rates)")
            }
        }

        /// Open connections and those that come after a reload have one limit together.
        @Test func aReloadDoesNotDoubleTheLimit() async throws {
            try await withLimit("bandwidth = \"20Mbit\"") { host, braid in
                let before = try host.spawn(["python3", "-uc", Self.clients, "d", "30", "127.0.0.2:4"])
                // All four are under way.
                try await before.line(containing: "reading", skipping: 3)
                let reloaded = try await braid.reload(
                    Self.relay("bandwidth = \"30Mbit\"", "idle-timeout = \"1h\""), daemon: "threads = 2")
                #expect(reloaded.number("changed") == 1, "\(reloaded)")
                let after = try host.run(
                    ["python3", "-uc", Self.clients, "d", "2", "127.0.0.3:1"], timeout: .seconds(60))
                let new = try #require(Double(after.standardOutput.split(separator: "\n").last ?? ""))
                // Half of the new limit, for the other client is still there.
                #expect((13.5e6...16.5e6).contains(new), "\(new)")
                before.terminate()
            }
        }

        @Test func connectionsBeginAtTheRateThatIsSet() async throws {
            try await withLimit("connections = \"100/s\"") { host, _ in
                let seconds = Soak.isWanted ? 10.0 : 2.0
                let output = try host.run(
                    ["python3", "-uc", Self.connects, "\(seconds)"], timeout: .seconds(60))
                let rate = try #require(Double(output.standardOutput.split(separator: "\n").last ?? ""))
                #expect((95...105).contains(rate), "\(rate)")
            }
        }

        /// Sends without end (`d`), or takes what comes and says once in a while how much it was (`u`).
        private static let server = """
            import socket, threading
            l = socket.create_server(("127.0.0.1", 9000), backlog=512)
            def serve(s):
                try:
                    kind = s.recv(1)
                    if kind == b"d":
                        while True: s.sendall(bytes(65536))
                    while data := s.recv(1 << 20): s.sendall(len(data).to_bytes(4))
                except OSError: pass
                s.close()
            while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
            """
        private static let clients = """
            import select, socket, sys, threading, time
            up, seconds = sys.argv[1] == "u", float(sys.argv[2])
            begin = time.monotonic() + 0.5
            end = begin + seconds
            totals = [0] * len(sys.argv[3:])
            def run(i, source):
                s = socket.create_connection(("127.0.0.1", 8080), 10, (source, 0))
                s.sendall(b"u" if up else b"d"); s.setblocking(False)
                rest, first = b"", True
                while (now := time.monotonic()) < end:
                    r, w, _ = select.select([s], [s] if up else [], [], end - now)
                    if w:
                        try: s.send(bytes(65536))
                        except BlockingIOError: pass
                    if not r: continue
                    data = s.recv(1 << 20)
                    if not data: break
                    if first: sys.stdout.write("reading\\n")
                    first = False
                    amount = len(data)
                    if up:
                        rest += data
                        amount = sum(int.from_bytes(rest[k:k + 4]) for k in range(0, len(rest) - 3, 4))
                        rest = rest[len(rest) // 4 * 4:]
                    if time.monotonic() > begin: totals[i] += amount
            threads = []
            for i, spec in enumerate(sys.argv[3:]):
                source, count = spec.split(":")
                threads += [threading.Thread(target=run, args=(i, source)) for _ in range(int(count))]
            for t in threads: t.start()
            for t in threads: t.join()
            print(*[t * 8 / seconds for t in totals])
            """
        private static let connects = """
            import select, socket, sys, time
            seconds = float(sys.argv[1])
            poll = select.epoll()
            sockets = {}
            for i in range(int(seconds * 100) + 150):
                s = socket.create_connection(("127.0.0.1", 8080), 10); s.sendall(b"u1")
                sockets[s.fileno()] = s; poll.register(s, select.EPOLLIN | select.EPOLLET)
            # A tenth of a second's worth has come at once; then they come at the rate.
            begin, count, answered = time.monotonic() + 0.2, 0, set()
            while (now := time.monotonic()) < begin + seconds:
                for fd, event in poll.poll(begin + seconds - now):
                    if fd in answered or event & ~select.EPOLLIN: continue
                    answered.add(fd)
                    if time.monotonic() > begin: count += 1
            print(count / seconds)
            """
    }
}
