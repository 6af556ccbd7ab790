import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Peers that are absent, silent, greedy or rude: their own connection suffers, and nothing else.
    @Suite(.serialized) struct BadInputPeerTests {
        /// A plain TCP relay from port 8080 to port 9000 of the same host, and an echo on port 7.
        static func relay(_ more: String = "", upstream: String = "tcp://127.0.0.1:9000") -> String {
            """
            [[relay]]
            name = "r"
            listen = "tcp://127.0.0.1:8080"
            upstream = "\(upstream)"
            \(more)
            [[relay]]
            name = "echo"
            listen = "tcp://127.0.0.1:7"
            upstream = "echo://"
            """
        }

        /// That somebody else is served all the while.
        static func serves(_ braid: BraidProcess, _ host: Host) async throws {
            let peer = try Peer(in: host)
            try await peer.must("c connect 127.0.0.1 7")
            try await peer.must("c send hello")
            #expect(try await peer.must("c read 5") == "hello")
            peer.kill()
            #expect(braid.process.isRunning)
        }

        /// Connects to port 8080 and is reset: the reset may be there before connect(2) has returned, which then tells it.
        static func resetOnArrival(_ peer: Peer) async throws -> Bool {
            var answer = try await peer.ask("c connect 127.0.0.1 8080")
            if answer == "ok" { answer = try await peer.ask("c end") }
            return answer == "ECONNRESET"
        }

        @Test func aRefusingUpstreamResetsTheClient() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay(), in: host)
                let peer = try Peer(in: host)
                #expect(try await Self.resetOnArrival(peer))
                let record = try await braid.connections()[0]
                #expect(record.result == "connect-failed", "\(record)")
                #expect(record["error"]?.contains("refused") == true, "\(record)")
                try await peer.must("s listen 127.0.0.1 9000")
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("s accept u")
                try await peer.must("u send yes")
                #expect(try await peer.must("c read 3") == "yes")
            }
        }

        @Test func anUnresolvableUpstreamResetsTheClient() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    Self.relay("connect-timeout = \"2s\"", upstream: "tcp://nothing.invalid:9000"), in: host)
                let peer = try Peer(in: host)
                #expect(try await Self.resetOnArrival(peer))
                try await Self.serves(braid, host)
                let record = try await braid.connections(relay: "r")[0]
                #expect(record.result == "connect-failed", "\(record)")
                #expect(record["error"] != nil, "\(record)")
                let notice = try await braid.record("name-unresolved")
                #expect(notice.message.contains("nothing.invalid"), "\(notice)")
            }
        }

        @Test func aSilentUpstreamTimesOut() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let link = try lab.link(near, far, name: "lte")
                let braid = try await BraidProcess.start(
                    Self.relay("connect-timeout = \"500ms\"", upstream: "tcp://\(link.address(of: far)):9000"), in: near
                )
                let server = try Peer(in: far)
                try await server.must("s listen 0.0.0.0 9000")
                link.blackhole(true)
                let peer = try Peer(in: near)
                try await peer.must("c connect 127.0.0.1 8080")
                try await Self.serves(braid, near)
                #expect(try await peer.ask("c end") == "ECONNRESET")
                let record = try await braid.connections(relay: "r")[0]
                #expect(record.result == "connect-failed", "\(record)")
                #expect(record["error"]?.contains("timed out") == true, "\(record)")
                #expect(record.number("duration_usec") ?? 0 >= 500_000, "\(record)")
                link.blackhole(false)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                try await server.must("s accept u")
                #expect(try await server.must("u read 5") == "hello")
            }
        }

        @Test func aClientThatNeverReadsCostsNoMemory() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay(), in: host)
                let client = try Peer(in: host)
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                try await client.must("c connect 127.0.0.1 8080")
                try await server.must("s accept u")
                let before = try braid.residentBytes()
                // Until the relay takes no more: then it waits for the client.
                let first = try #require(Int(try await server.must("u fill")))
                #expect(first > 64 * 1024)
                let grown = try braid.residentBytes() - before
                #expect(grown < 8 << 20, "\(grown) bytes more for \(first) bytes that nobody reads")
                try await Self.serves(braid, host)
                // And nothing of it is lost once the client does read.
                try await server.must("u shutdown")
                #expect(try await client.must("c to-end").hasPrefix("\(first) "))
                try await client.must("c close")
                let record = try await braid.connections(relay: "r")[0]
                #expect(record.number("bytes_down") == first, "\(record)")
                #expect(record.result == "closed", "\(record)")
            }
        }

        @Test func aClientThatNeverWritesIsLeftAfterTheIdleTimeout() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay("idle-timeout = \"300ms\""), in: host)
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9000")
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("s accept u")
                #expect(["ok end", "ECONNRESET"].contains(try await peer.ask("c end")))
                #expect(["ok end", "ECONNRESET"].contains(try await peer.ask("u end")))
                let record = try await braid.connections()[0]
                #expect(record.result == "idle-timeout", "\(record)")
                #expect(record.number("duration_usec") ?? 0 >= 300_000, "\(record)")
            }
        }

        @Test func aResetPassesThroughAsAReset() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay(), in: host)
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9000")
                for (rude, other, result) in [("c", "u", "client-reset"), ("u", "c", "upstream-reset")] {
                    try await peer.must("c connect 127.0.0.1 8080")
                    try await peer.must("s accept u")
                    try await peer.must("c send hello")
                    #expect(try await peer.must("u read 5") == "hello")
                    try await peer.must("\(rude) reset")
                    #expect(try await peer.ask("\(other) end") == "ECONNRESET")
                    try await braid.record { $0.result == result }
                }
            }
        }
    }
}
