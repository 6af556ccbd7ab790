import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Links that come and go, and what the daemon makes of them.
    @Suite(.serialized) struct LinkTests {
        @Test func endpointsFollowTheLinksAndAreRestored() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                try paths.near.run("ip", "mptcp", "endpoint", "add", "198.51.100.1", "id", "99", "signal")
                try paths.near.run("ip", "mptcp", "limits", "set", "subflow", "3", "add_addr_accepted", "1")
                _ = try await paths.startFar()
                let server = try Traffic(in: paths.far)
                try await server.serve("127.0.0.1", port: 9000)
                let braid = try await paths.startNear()
                #expect(try paths.endpoints() == ["lte", "lte", "wifi", "wifi"])
                #expect(braid.records("link-up").map { $0["link"] } == ["wifi", "lte"])
                let other = try await braid.record("other-path-manager")
                #expect(other.message.contains("198.51.100.1"), "\(other)")

                let traffic = try Traffic(in: paths.near)
                try await traffic.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }

                let down = ContinuousClock.now
                try paths.wifi.carrier(down: true)
                try await paths.until("the endpoints gone") { try paths.endpoints() == ["lte", "lte"] }
                print("measured: carrier lost, endpoints gone and seen after \(ContinuousClock.now - down)")
                let record = try await braid.record("link-down")
                #expect(record["link"] == "wifi" && record["state"] == "no-carrier", "\(record)")
                #expect(record["interface"] == "wifi" && record["why"] == "no carrier", "\(record)")
                try await traffic.wait(for: 10)

                try paths.wifi.carrier(down: false)
                try await braid.record { $0.event == "link-up" && $0["link"] == "wifi" && $0.number("n") == nil }
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try paths.endpoints() == ["lte", "lte", "wifi", "wifi"])
                #expect(try await traffic.errors() == 0)
                traffic.kill()

                try await braid.stop()
                let left = try paths.near.run("ip", "mptcp", "endpoint", "show").standardOutput
                #expect(left.split(separator: "\n").count == 1 && left.contains("198.51.100.1"), "\(left)")
                let limits = try paths.near.run("ip", "mptcp", "limits", "show").standardOutput
                #expect(limits.contains("add_addr_accepted 1 subflows 3"), "\(limits)")
            }
        }

        @Test func dialsLeaveADeadLinkAside() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let braid = try await paths.startNear()
                // The loops were told: wifi has no carrier, so the first subflow starts from lte at once.
                try paths.wifi.carrier(down: true)
                try await braid.record("link-down")
                let peer = try Peer(in: paths.near)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                let first = try paths.near.run("ss", "-tnH", "state", "established", "dport", "7143").standardOutput
                #expect(first.contains(paths.lte.address(of: paths.near)), "\(first)")
                try await peer.must("c close")
                let record = try await braid.connections()[0]
                #expect(record.number("connect_usec") ?? .max < 200_000, "\(record)")
                #expect(record["multipath"] == "yes", "\(record)")
            }
        }

        @Test func withoutTheRightItSaysSoAndGoesOn() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
                try #require(
                    getuid() == 0, "as another user this test needs the machine's root")
                let braid = try await BraidProcess.start(
                    """
                    \(PathsLab.managed)
                    [[relay]]
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "mptcp://\(paths.wifi.address(of: paths.far)):7143"
                    """, in: paths.near, prefix: drop)
                let record = try await braid.record("capability-missing")
                #expect(record["capability"] == "CAP_NET_ADMIN" && record["feature"] == "paths.manage", "\(record)")
                #expect(record.message.contains("braid-paths.conf"), "\(record)")
                #expect(try paths.endpoints().isEmpty)
                let traffic = try Traffic(in: paths.near)
                try await traffic.ping("127.0.0.1", port: 8080)
                // Links are seen all the same.
                try paths.lte.carrier(down: true)
                let down = try await braid.record("link-down")
                #expect(down["link"] == "lte", "\(down)")
                try await traffic.wait(for: 5)
            }
        }
    }
}
