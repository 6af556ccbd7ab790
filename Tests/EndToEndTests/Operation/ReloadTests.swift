import FoundationEssentials
import Glibc
import Lab
import Testing

extension BraidProcess {
    /// Writes another configuration and has the daemon take it over.
    ///
    /// - Returns: the record that says what became of it.
    @discardableResult
    func reload(_ config: String, daemon: String = "") async throws -> LogRecord {
        let outcomes = ["configuration-reloaded", "reload-failed"]
        let before = records.count { outcomes.contains($0.event) }
        // Written beside it and renamed: the daemon never sees half a file.
        let file = try directory.write(
            config + "\n[daemon]\nlog-format = \"json\"\n" + daemon + "\n", to: "braid.toml.new")
        guard rename(file, directory.file("braid.toml")) == 0 else { throw POSIXError(.EIO) }
        try signal(SIGHUP)
        var seen = 0
        return try await record { record in
            if outcomes.contains(record.event) { seen += 1 }
            return seen == before + 1
        }
    }
}

extension EndToEndSuite {
    /// A new configuration while everything runs.
    @Suite(.serialized) struct ReloadTests {
        private static func relay(_ name: String, _ listen: String, _ upstream: Int, _ keys: String = "") -> String {
            "[[relay]]\nname = \"\(name)\"\nlisten = \"\(listen)\"\nupstream = \"tcp://127.0.0.1:\(upstream)\"\n\(keys)\n"
        }
        private static let steady = relay("steady", "tcp://127.0.0.1:8080", 9001)

        @Test func aWrongFileChangesNothing() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001])
                let braid = try await BraidProcess.start(Self.steady, in: host)
                let clients = PoolClients(host: host, port: 8080)
                let wrong = [
                    ("[[relay]]\nlisten = \"tcp://127.0.0.1:8081\"\nupsteam = \"tcp://127.0.0.1:1\"\n", 1),
                    ("nonsense", 1), ("[[relay]]\nlisten = 5\nupstream = \"echo://\"\n", 2),
                ]
                for (text, line) in wrong {
                    let failed = try await braid.reload(text)
                    #expect(failed.event == "reload-failed")
                    #expect(failed.number("line") == line, "\(failed)")
                    #expect(try clients.ask(2) == ["9001", "9001"])
                }
                let invalid = braid.records("configuration-invalid")
                #expect(invalid.contains { $0.message.contains("braid.toml:3:1: error:") }, "\(invalid)")
                // A file that is right, and asks for what the system refuses: an address in use.
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 8090")
                let refused = try await braid.reload(
                    Self.relay("new", "tcp://127.0.0.1:8091", 9001) + Self.relay("taken", "tcp://127.0.0.1:8090", 9001))
                #expect(refused.event == "reload-failed")
                #expect(refused.message.contains("8090"), "\(refused)")
                #expect(try clients.ask(2) == ["9001", "9001"])
                #expect(try !host.listens(port: 8091), "what was opened for it is closed again")
                #expect(try await braid.reload(Self.steady).event == "configuration-reloaded")
            }
        }

        @Test func connectionsKeepWhatTheyHaveAndNewOnesGetTheNew() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001, 9002])
                let braid = try await BraidProcess.start(
                    Self.steady + Self.relay("changes", "mptcp://127.0.0.1:7143", 9001)
                        + Self.relay("goes", "tcp://127.0.0.1:8082", 9001)
                        + Self.relay("mptcp-goes", "mptcp://127.0.0.1:8083", 9001), in: host)
                let peer = try Peer(in: host)
                let old = [("a", "8080"), ("b", "7143 mptcp"), ("c", "8082"), ("d", "8083 mptcp")]
                func say(_ name: String) async throws -> String {
                    try await peer.must("\(name) send who")
                    return try await peer.must("\(name) read 4")
                }
                for (name, port) in old {
                    try await peer.must("\(name) connect 127.0.0.1 \(port)")
                    #expect(try await say(name) == "9001")
                }
                let done = try await braid.reload(
                    Self.steady + Self.relay("changes", "mptcp://127.0.0.1:7143", 9002, "idle-timeout = \"1h\"")
                        + Self.relay("comes", "tcp://127.0.0.1:8084", 9002))
                #expect(done.number("added") == 1, "\(done)")
                #expect(done.number("changed") == 1, "\(done)")
                #expect(done.number("removed") == 2, "\(done)")
                #expect(done["needs_restart"] == "", "\(done)")
                // Those that are open go on, those of removed relays too.
                for (name, _) in old { #expect(try await say(name) == "9001") }
                // New ones get what the file says.
                for (port, answer) in [("8080", "9001"), ("7143", "9002"), ("7143 mptcp", "9002"), ("8084", "9002")] {
                    try await peer.must("n connect 127.0.0.1 \(port)")
                    #expect(try await say("n") == answer)
                    try await peer.must("n close")
                }
                #expect(try await peer.ask("n connect 127.0.0.1 8082") == "ECONNREFUSED")
                // The MPTCP listener is kept for subflows that join, and turns clients away.
                if try await peer.ask("n connect 127.0.0.1 8083") == "ok" {
                    #expect(["ECONNRESET", "EPIPE"].contains(try await peer.ask("n end")))
                }
                try await peer.must("d close")
                // With its last connection it goes.
                try await eventually("nobody listens on port 8083") { try !host.listens(port: 8083) }
                for (name, _) in old[..<3] { try await peer.must("\(name) close") }
                // Their records name the relay that they belonged to.
                let records = try await braid.connections(8)
                #expect(
                    Set(records.compactMap { $0["relay"] }) == ["steady", "changes", "goes", "mptcp-goes", "comes"])
                #expect(records.allSatisfy { $0.result == "closed" }, "\(records)")
            }
        }

        @Test func countersAndLimitsGoOn() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001, 9002])
                let socket = try TemporaryDirectory()
                let admin = "[admin]\nsocket = \"\(socket.file("admin.sock"))\"\n"
                let braid = try await BraidProcess.start(Self.steady + admin, in: host)
                let peer = try Peer(in: host)
                try await peer.must("a connect 127.0.0.1 8080")
                try await peer.must("a send who")
                #expect(try await peer.must("a read 4") == "9001")
                #expect(try PoolClients(host: host, port: 8080).ask(5).count == 5)
                try await braid.reload(
                    Self.relay("steady", "tcp://127.0.0.1:8080", 9002, "max-connections = 2") + admin,
                    daemon: "log-level = \"debug\"")
                // The one that was open counts: one place is left.
                try await peer.must("b connect 127.0.0.1 8080")
                try await peer.must("b send who")
                #expect(try await peer.must("b read 4") == "9002")
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send who")
                try await braid.record("connection-limit-reached")
                func status() throws -> String {
                    try BraidProgram.run(
                        ["status", "--json", "--socket", socket.file("admin.sock")], in: host
                    ).standardOutput.filter { !$0.isWhitespace }
                }
                var text = try status()
                #expect(text.contains("\"accepted\":7"), "\(text)")
                #expect(text.contains("\"open\":2"), "\(text)")
                try await peer.must("a close")
                #expect(try await peer.must("c read 4") == "9002")
                // A limit that is raised lets those in who wait.
                try await peer.must("d connect 127.0.0.1 8080")
                try await peer.must("d send who")
                try await braid.reload(Self.relay("steady", "tcp://127.0.0.1:8080", 9002) + admin)
                #expect(try await peer.must("d read 4") == "9002")
                text = try status()
                #expect(text.contains("\"accepted\":9"), "\(text)")
                #expect(text.contains("\"open\":3"), "\(text)")
            }
        }

        @Test func whatNeedsARestartIsSaid() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.steady, in: host, daemon: "threads = 1")
                let done = try await braid.reload(Self.steady, daemon: "threads = 2")
                #expect(done["needs_restart"] == "daemon.threads", "\(done)")
                #expect(done["level"] == "warning")
            }
        }

        /// Reloads back and forth under load; the full hundred with BRAID_SOAK.
        @Test func reloadsUnderLoadDisturbNobody() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001, 9002])
                let near =
                    "[[relay]]\nname = \"near\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"mptcp://127.0.0.1:7143\"\n"
                let first =
                    near + Self.relay("far", "mptcp://127.0.0.1:7143", 9001)
                    + Self.relay("one", "tcp://127.0.0.1:8081", 9001)
                let second =
                    near + "idle-timeout = \"1h\"\n"
                    + Self.relay("far", "mptcp://127.0.0.1:7143", 9002, "connect-timeout = \"3s\"")
                    + Self.relay("two", "mptcp://127.0.0.1:8082", 9002)
                let braid = try await BraidProcess.start(first, in: host, daemon: "log-connections = false")
                let peer = try Peer(in: host)
                for number in 0..<50 { try await peer.must("c\(number) connect 127.0.0.1 8080") }
                let count = Soak.isWanted ? 100 : 12
                let load = try PoolClients(host: host, port: 8080).load(rate: 300, seconds: Double(count) / 2.4)
                for number in 1...count {
                    try await load.ended(number * 110)
                    let done = try await braid.reload(
                        number % 2 == 0 ? first : second, daemon: "log-connections = false")
                    #expect(done.event == "configuration-reloaded", "\(done)")
                }
                let connections = try await load.connections()
                #expect(connections.filter(\.failed).map(\.answer) == [])
                #expect(connections.contains { $0.answer == "9001" } && connections.contains { $0.answer == "9002" })
                for number in 0..<50 {
                    try await peer.must("c\(number) send who")
                    #expect(try await peer.must("c\(number) read 4") == "9001")
                }
                #expect(braid.process.isRunning)
            }
        }
    }
}
