import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Peers that are absent, silent, greedy or rude: their own connection suffers, and nothing else.
    @Suite(.serialized) struct BadInputPeerTests {
        /// A plain TCP relay from port 8080 to port 9000 of the same host.
        static let relay =
            "[[relay]]\nname = \"r\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"tcp://127.0.0.1:9000\"\n"

        /// That a client is served now.
        static func serves(_ braid: BraidProcess, _ host: Host, port: Int = 8080) async throws {
            let peer = try Peer(in: host)
            try await peer.must("c connect 127.0.0.1 \(port)")
            try await peer.must("c send hello")
            #expect(try await peer.must("c read 5") == "hello")
            try await peer.must("c close")
            #expect(braid.process.isRunning)
        }

        @Test func aRefusingUpstreamResetsTheClient() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relay, in: host)
                let peer = try Peer(in: host)
                try await peer.must("c connect 127.0.0.1 8080")
                #expect(try await peer.ask("c end") == "ECONNRESET")
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
    }
}
