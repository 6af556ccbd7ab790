import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Signals: a reload harms nothing, and a stop lets open connections finish.
    @Suite(.serialized) struct BadInputSignalTests {
        static let echo = "[[relay]]\nname = \"echo\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n"

        /// A daemon, and a client in the middle of a conversation with it.
        private func conversation(
            daemon: String = "", _ body: (BraidProcess, Peer) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.echo, in: host, daemon: daemon)
                let peer = try Peer(in: host)
                try await peer.must("c connect 127.0.0.1 8080")
                // The second answer is given after the turn that gave the first has ended, and with it the counting.
                for _ in 0..<2 { try await roundTrip(peer) }
                try await body(braid, peer)
            }
        }

        private func roundTrip(_ peer: Peer) async throws {
            try await peer.must("c send hello")
            #expect(try await peer.must("c read 5") == "hello")
        }

        @Test func aReloadOfTheSameFileHarmsNothing() async throws {
            try await conversation { braid, peer in
                for count in 1...3 {
                    try braid.signal(SIGHUP)
                    var seen = 0
                    try await braid.record { record in
                        if record.event == "configuration-reloaded" { seen += 1 }
                        return seen == count
                    }
                    try await roundTrip(peer)
                }
                try await peer.must("d connect 127.0.0.1 8080")
                #expect(braid.process.isRunning)
            }
        }

        @Test(arguments: [SIGTERM, SIGINT]) func aStopLetsConnectionsFinish(_ signal: Int32) async throws {
            try await conversation { braid, peer in
                try braid.signal(signal)
                let stopping = try await braid.record("daemon-stopping")
                #expect(stopping.number("connections") == 1, "\(stopping)")
                try await roundTrip(peer)
                // The loops close their listeners a moment after it was logged; who came in until then is served.
                let deadline = ContinuousClock.now + .seconds(5)
                var answer = ""
                while answer != "ECONNREFUSED", ContinuousClock.now < deadline {
                    answer = try await peer.ask("d connect 127.0.0.1 8080")
                    if answer.hasPrefix("ok") { try await peer.must("d close") }
                }
                #expect(answer == "ECONNREFUSED")
                try await peer.must("c close")
                let output = try await braid.process.finish(timeout: .seconds(10))
                #expect(output.status == .exited(0))
                let results = braid.records("connection-ended").map(\.result)
                #expect(!results.isEmpty && results.allSatisfy { $0 == "closed" }, "\(results)")
                #expect(try await braid.record("daemon-stopped").number("connections_reset") == 0)
            }
        }

        @Test func whatDoesNotFinishInTimeIsReset() async throws {
            try await conversation(daemon: "drain-timeout = \"300ms\"") { braid, peer in
                try braid.signal(SIGTERM)
                #expect(try await peer.ask("c end") == "ECONNRESET")
                #expect(try await braid.process.finish(timeout: .seconds(10)).status == .exited(0))
                #expect(braid.records("drain-timeout").count == 1)
                #expect(braid.records("connection-ended").map(\.result) == ["drained"])
                #expect(try await braid.record("daemon-stopped").number("connections_reset") == 1)
            }
        }

        @Test func aSecondSignalEndsAtOnce() async throws {
            try await conversation(daemon: "drain-timeout = \"1h\"") { braid, peer in
                try braid.signal(SIGTERM)
                try await braid.record("daemon-stopping")
                try braid.signal(SIGTERM)
                #expect(try await braid.process.finish(timeout: .seconds(10)).status == .exited(0))
                #expect(["ok end", "ECONNRESET"].contains(try await peer.ask("c end")))
                // Its record is written all the same.
                #expect(braid.records("connection-ended").map(\.result) == ["drained"])
            }
        }

        @Test func anIdleDaemonStopsAtOnce() async throws {
            try await Lab.with { lab in
                let braid = try await BraidProcess.start(Self.echo, in: try lab.host("alone"))
                #expect(try await braid.stop(timeout: .seconds(10)).status == .exited(0))
            }
        }
    }
}
