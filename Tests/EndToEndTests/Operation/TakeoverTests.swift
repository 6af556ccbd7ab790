import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// `braid run --takeover`: a new process takes the listeners, and the old one finishes its connections.
    @Suite(.serialized) struct TakeoverTests {
        private static func config(_ directory: TemporaryDirectory, upstream: Int = 9001) -> String {
            """
            [admin]
            socket = "\(directory.file("admin.sock"))"
            http = "127.0.0.1:9180"
            [[relay]]
            name = "tcp"
            listen = ["tcp://127.0.0.1:8080", "unix://\(directory.file("in.sock"))"]
            upstream = "tcp://127.0.0.1:\(upstream)"
            [[relay]]
            name = "mptcp"
            listen = "mptcp://*:7143"
            upstream = "tcp://127.0.0.1:\(upstream)"

            """
        }

        @Test func nobodyIsRefusedOrReset() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001, 9002])
                let directory = try TemporaryDirectory()
                let old = try await BraidProcess.start(
                    Self.config(directory), in: host, daemon: "log-connections = false\ntakeover-timeout = \"1h\"")
                let peer = try Peer(in: host)
                try await peer.must("a connect 127.0.0.1 8080")
                try await peer.must("b connect 127.0.0.1 7143 mptcp")
                try await peer.must("c connect-unix \(directory.file("in.sock"))")
                let loads = [
                    try PoolClients(host: host, port: 8080).load(rate: 200, seconds: 5),
                    try PoolClients(host: host, port: 7143).load(rate: 50, seconds: 5),
                ]
                try await loads[0].ended(200)
                let new = try await BraidProcess.start(
                    Self.config(directory, upstream: 9002), in: host, daemon: "log-connections = false",
                    arguments: ["--takeover"])
                let handed = try await old.record("handed-over")
                #expect(handed.number("successor") == Int(new.pid), "\(handed)")
                for load in loads {
                    let connections = try await load.connections()
                    #expect(connections.filter(\.failed).map(\.answer) == [])
                    #expect(Set(connections.map(\.answer)) == ["9001", "9002"])
                }
                // Open connections go on in the old process.
                for name in ["a", "b", "c"] {
                    try await peer.must("\(name) send who")
                    #expect(try await peer.must("\(name) read 4") == "9001")
                }
                #expect(old.process.isRunning)
                for name in ["a", "b", "c"] { try await peer.must("\(name) close") }
                #expect(try await old.process.finish().status == .exited(0))
                // Everything that has a name is the new one's: its listeners, and the admin interface.
                try await peer.must("d connect-unix \(directory.file("in.sock"))")
                try await peer.must("d send who")
                #expect(try await peer.must("d read 4") == "9002")
                let status = try BraidProgram.run(
                    ["status", "--json", "--socket", directory.file("admin.sock")], in: host
                ).standardOutput
                #expect(status.contains("\(new.pid)"), "\(status)")
                // And once more.
                let third = try await BraidProcess.start(
                    Self.config(directory), in: host, arguments: ["--takeover"])
                try await new.record("handed-over")
                #expect(third.process.isRunning)
                #expect(try PoolClients(host: host, port: 8080).ask(3) == ["9001", "9001", "9001"])
            }
        }

        /// Without a service manager too, SIGUSR2 has the daemon start its successor itself.
        @Test func aSignalStartsTheSuccessor() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001])
                let directory = try TemporaryDirectory()
                let old = try await BraidProcess.start(
                    Self.config(directory), in: host, daemon: "takeover-timeout = \"1h\"\ndrain-timeout = \"1s\"")
                let peer = try Peer(in: host)
                try await peer.must("a connect 127.0.0.1 8080")
                try old.signal(SIGUSR2)
                let handed = try await old.record("handed-over")
                let successor = try #require(handed.number("successor"))
                #expect(successor != Int(old.pid))
                try await peer.must("a send who")
                #expect(try await peer.must("a read 4") == "9001")
                #expect(try PoolClients(host: host, port: 8080).ask(3) == ["9001", "9001", "9001"])
                let status = try BraidProgram.run(
                    ["status", "--json", "--socket", directory.file("admin.sock")], in: host
                ).standardOutput
                #expect(status.contains("\(successor)"), "\(status)")
                // Told to stop, the old one gives its connections drain-timeout, and a second signal none.
                try old.signal(SIGTERM)
                try await old.record { $0.message.contains("may take 1 s more to end") }
                #expect(try await old.process.finish().status == .exited(0))
                #expect(old.records("drain-timeout").count == 1)
                kill(Int32(successor), SIGTERM)
                while try host.listens(port: 8080) { try await Task.sleep(for: .milliseconds(20)) }
            }
        }

        @Test func withNobodyThereItStartsAlone() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001])
                let directory = try TemporaryDirectory()
                _ = try await BraidProcess.start(Self.config(directory), in: host, arguments: ["--takeover"])
                #expect(try PoolClients(host: host, port: 8080).ask(2) == ["9001", "9001"])
            }
        }

        @Test func aSuccessorThatFailsHarmsNothing() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001])
                let directory = try TemporaryDirectory()
                let old = try await BraidProcess.start(Self.config(directory), in: host)
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 8099")
                // One that wants an address which it cannot have.
                let wrong = try directory.write(
                    Self.config(directory) + "[[relay]]\nlisten = \"tcp://127.0.0.1:8099\"\nupstream = \"echo://\"\n",
                    to: "wrong.toml")
                let output = try BraidProgram.run(["run", "--config", wrong, "--takeover"], in: host)
                #expect(output.status == .exited(71), "\(output.standardError)")
                #expect(output.standardError.contains("8099"))
                #expect(try PoolClients(host: host, port: 8080).ask(3) == ["9001", "9001", "9001"])
                let status = try BraidProgram.run(
                    ["status", "--socket", directory.file("admin.sock")], in: host)
                #expect(status.status == .exited(0), "the old one kept its admin interface")
                #expect(old.records("handed-over").isEmpty)
                // Another user may not ask: the socket is the owner's.
                #expect(
                    try host.run("stat", "-c", "%a", directory.file("admin.sock.takeover")).standardOutput == "600\n")
            }
        }
    }
}
