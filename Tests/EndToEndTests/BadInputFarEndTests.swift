import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// What happens to the near end when the far end, or MPTCP itself, is not what it should be.
    @Suite(.serialized) struct BadInputFarEndTests {
        static func near(_ address: String) -> String {
            "[[relay]]\nname = \"near\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"mptcp://\(address):7143\"\n"
        }
        static let far = "[[relay]]\nname = \"far\"\nlisten = \"mptcp://*:7143\"\nupstream = \"tcp://127.0.0.1:9000\"\n"

        @Test func theFarEndIsKilledInMidTransfer() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let link = try lab.link(near, far, name: "lte", rate: .mbit(100))
                let nearEnd = try await BraidProcess.start(Self.near(link.address(of: far)), in: near)
                let farEnd = try await BraidProcess.start(Self.far, in: far)
                let client = try Peer(in: near)
                let server = try Peer(in: far)
                try await server.must("s listen 127.0.0.1 9000")
                try await client.must("c connect 127.0.0.1 8080")
                try await server.must("s accept u")
                // Both ways are full of bytes that nobody reads: whenever it dies, it dies in the middle.
                async let up = client.must("c fill")
                async let down = server.must("u fill")
                _ = try await (up, down)
                try farEnd.signal(SIGKILL)
                #expect(try await farEnd.process.finish().status == .signalled(SIGKILL))
                #expect(["ECONNRESET", "EPIPE"].contains(try await client.ask("c send-bytes 100000000")))
                let record = try await nearEnd.connections()[0]
                #expect(record.result == "upstream-reset", "\(record)")
                #expect(nearEnd.process.isRunning)

                // A new far end, and all is well.
                let second = try await BraidProcess.start(Self.far, in: far)
                try await client.must("d connect 127.0.0.1 8080")
                try await server.must("s accept v")
                try await client.must("d send again")
                #expect(try await server.must("v read 5") == "again")
                #expect(second.process.isRunning)
            }
        }

        @Test func withMultipathOffBothEndsRelayOverPlainTCPAndSaySo() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.sysctl("net.mptcp.enabled", "0")
                let config =
                    Self.near("127.0.0.1")
                    + "[[relay]]\nname = \"far\"\nlisten = \"mptcp://127.0.0.1:7143\"\nupstream = \"echo://\"\n"
                let braid = try await BraidProcess.start(config, in: host)
                let notice = try await braid.record("multipath-unavailable")
                #expect(notice.message.contains("net.mptcp.enabled"), "\(notice)")
                let peer = try Peer(in: host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                try await peer.must("c close")
                let record = try await braid.connections(relay: "near")[0]
                #expect(record["multipath"] == "fallback", "\(record)")
                #expect(record.result == "closed", "\(record)")
            }
        }

        @Test func aFarEndWithoutMultipathIsAFallback() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let link = try lab.link(near, far, name: "lte")
                let server = try Peer(in: far)
                try await server.must("s listen 0.0.0.0 7143")
                let braid = try await BraidProcess.start(Self.near(link.address(of: far)), in: near)
                let client = try Peer(in: near)
                for _ in 0..<2 {
                    try await client.must("c connect 127.0.0.1 8080")
                    try await server.must("s accept u")
                    try await client.must("c send hello")
                    #expect(try await server.must("u read 5") == "hello")
                    try await server.must("u send back")
                    #expect(try await client.must("c read 4") == "back")
                    try await client.must("c close")
                    try await server.must("u close")
                }
                for record in try await braid.connections(2) {
                    #expect(record["multipath"] == "fallback", "\(record)")
                    #expect(record.result == "closed", "\(record)")
                }
                #expect(braid.records("fallback-detected").count == 1)
            }
        }
    }
}
