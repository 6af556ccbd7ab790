import Lab
import Testing

extension EndToEndSuite {
    /// What the log says of connections whose path carries no MPTCP, and `require-multipath`.
    @Suite(.serialized) struct RequireMultipathTests {
        private static let port = 8000

        /// A near and a far end with two links, and a middlebox before the far end.
        private func withEnds(
            near keys: String = "", far farKeys: String = "", rule: String,
            _ body: (_ near: Host, _ braid: BraidProcess, _ far: BraidProcess, Peer) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let links = try ["lte", "wifi"].map { try lab.link(near, far, name: $0, delay: .milliseconds(2)) }
                try near.multipath(over: links)
                try far.mptcp()
                try near.sysctl("net.mptcp.blackhole_timeout", "3600")
                try far.run(
                    ["nft", "-f", "-"],
                    input: """
                        table inet box {
                            chain in {
                                type filter hook prerouting priority raw;
                                \(rule);
                            }
                        }
                        """)
                let farBraid = try await BraidProcess.start(
                    TwoEnds.relay("far", listen: "mptcp://*:7143", upstream: "echo://") + farKeys, in: far)
                let nearBraid = try await BraidProcess.start(
                    TwoEnds.relay(
                        "near", listen: "tcp://127.0.0.1:\(Self.port)",
                        upstream: "mptcp://\(links[0].address(of: far)):7143") + keys, in: near)
                try await body(near, nearBraid, farBraid, try Peer(in: near))
            }
        }

        @Test func aFallbackIsGoneOnWithAndExplained() async throws {
            try await withEnds(rule: "reset tcp option 30") { _, near, far, peer in
                try await peer.must("A connect 127.0.0.1 \(Self.port)")
                try await peer.must("A send hello")
                #expect(try await peer.must("A read 5") == "hello")
                try await peer.must("A close")
                let record = try #require(try await near.connections().first)
                #expect(record["multipath"] == "fallback", "\(record)")
                #expect(record["fallback_reason"] == "peer-or-path-refused", "\(record)")
                #expect(record.result == "closed")
                let there = try #require(try await far.connections().first)
                #expect(there["multipath"] == "no", "\(there)")
                #expect(there["fallback_reason"] == "client-did-not-ask", "\(there)")
                let event = try await near.record("fallback-detected")
                #expect(event.message.contains("fall back to plain TCP"), "\(event)")
            }
        }

        @Test func whereMultipathIsRequiredTheClientIsReset() async throws {
            try await withEnds(near: "require-multipath = true\n", rule: "reset tcp option 30") { _, near, _, peer in
                try await peer.must("A connect 127.0.0.1 \(Self.port)")
                #expect(try await peer.ask("A end") == "ECONNRESET")
                let record = try #require(try await near.connections().first)
                #expect(record.result == "refused", "\(record)")
                #expect(record["multipath"] == "fallback")
                #expect(record["fallback_reason"] == "peer-or-path-refused")
                let event = try await near.record("fallback-detected")
                #expect(event.message.contains("are refused"), "\(event)")
            }
        }

        @Test func aFarEndThatRequiresItRefusesPlainClients() async throws {
            try await withEnds(far: "require-multipath = true\n", rule: "reset tcp option 30") { _, near, far, peer in
                try await peer.must("A connect 127.0.0.1 \(Self.port)")
                #expect(try await peer.ask("A end") == "ECONNRESET")
                let record = try #require(try await far.connections().first)
                #expect(record.result == "refused", "\(record)")
                #expect(record["fallback_reason"] == "client-did-not-ask")
                #expect(try await near.connections().first?.result == "upstream-reset")
            }
        }

        @Test func droppedSYNsAreNamedAndSoIsWhatTheKernelMakesOfThem() async throws {
            let rule = "tcp flags & (syn | ack) == syn tcp option 30 exists drop"
            try await withEnds(rule: rule) { _, near, _, peer in
                for (name, reason) in [("A", "syn-dropped"), ("B", "blackhole-detected")] {
                    try await peer.must("\(name) connect 127.0.0.1 \(Self.port)")
                    try await peer.must("\(name) send hello")
                    #expect(try await peer.must("\(name) read 5") == "hello")
                    try await peer.must("\(name) close")
                    let record = try #require(try await near.connections(name == "A" ? 1 : 2).last)
                    #expect(record["multipath"] == "fallback", "\(record)")
                    #expect(record["fallback_reason"] == reason, "\(record)")
                }
                let event = try await near.record("fallback-detected")
                #expect(event.message.contains("net.mptcp.blackhole_timeout=0"), "\(event)")
            }
        }

        @Test func aFallbackAfterTheHandshakeIsResetToo() async throws {
            let rule = "tcp flags & syn == 0 reset tcp option 30"
            try await withEnds(near: "require-multipath = true\n", rule: rule) { _, near, _, peer in
                try await peer.must("A connect 127.0.0.1 \(Self.port)")
                try await peer.ask("A send hello")
                // The echo may come first, or the reset.
                if try await peer.ask("A end") != "ECONNRESET" {
                    #expect(try await peer.ask("A end") == "ECONNRESET")
                }
                let record = try #require(try await near.connections().first)
                #expect(record.result == "refused", "\(record)")
                #expect(record["multipath"] == "fallback")
                #expect(record["fallback_reason"] != nil)
            }
        }
    }
}
