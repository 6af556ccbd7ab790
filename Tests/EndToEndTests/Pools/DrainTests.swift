import Lab
import Testing

extension EndToEndSuite {
    /// `braid drain`: an upstream is taken out for maintenance.
    @Suite(.serialized) struct DrainTests {
        private static let config = """
            [admin]
            http = "127.0.0.1:9180"
            [[relay]]
            name = "near"
            listen = "tcp://127.0.0.1:8080"
            upstream = ["tcp://127.0.0.1:9001", "tcp://127.0.0.1:9002"]

            """

        @Test func newConnectionsGoElsewhereAndOldOnesStay() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9001, 9002])
                let admin = try await AdminLab(Self.config, in: host, daemon: "threads = 2")
                let clients = PoolClients(host: host, port: 8080)
                let peer = try Peer(in: host)
                try await peer.must("old connect 127.0.0.1 8080")
                try await peer.must("old send who")
                #expect(try await peer.must("old read 4") == "9001")

                let drained = try admin.command("drain", "near", "tcp://127.0.0.1:9001")
                #expect(drained.status == .exited(0), "\(drained.standardError)")
                #expect(drained.standardOutput == "tcp://127.0.0.1:9001 (draining, 1 open)\n")
                #expect(try clients.ask(6) == Array(repeating: "9002", count: 6))
                try await peer.must("old send who")
                #expect(try await peer.must("old read 4") == "9001")
                #expect(try admin.command("status").standardOutput.contains("tcp://127.0.0.1:9001 (draining, 1 open)"))
                let status = try JSON.parse(try admin.owner("/v1/status").body)
                #expect(status["relays"]?[0]?["upstreams"]?.list.map { $0["draining"]?.flag } == [true, false])
                let change = try await admin.braid.record("admin-change")
                #expect(change["action"] == "drain" && change["upstream"] == "tcp://127.0.0.1:9001", "\(change)")

                // A reload that changes the relay leaves it out.
                try await admin.braid.reload(Self.config + "idle-timeout = \"1h\"\n", daemon: "threads = 2")
                #expect(try clients.ask(4) == Array(repeating: "9002", count: 4))

                #expect(
                    try admin.command("drain", "near", "tcp://127.0.0.1:9001", "--undo").standardOutput.contains(
                        "9001\n")
                )
                #expect(try clients.ask(4) == Array(repeating: "9001", count: 4))
            }
        }

        @Test func whatIsNotThereIsSaid() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let admin = try await AdminLab(Self.config, in: host)
                let relay = try admin.command("drain", "far", "tcp://127.0.0.1:9001")
                #expect(relay.status == .exited(1) && relay.standardError.contains("near"), "\(relay.standardError)")
                let upstream = try admin.command("drain", "near", "tcp://127.0.0.1:9003")
                #expect(
                    upstream.status == .exited(1) && upstream.standardError.contains("tcp://127.0.0.1:9002"),
                    "\(upstream.standardError)")
                #expect(try admin.command("drain", "near").status == .exited(64))
                let path = "/v1/relays/near/upstreams"
                let body = "{\"address\":\"tcp://127.0.0.1:9001\",\"draining\":true}"
                #expect(try admin.reader(path, "-X", "PATCH", "-d", body).status == 403)
                #expect(try admin.owner(path, "-X", "POST", "-d", body).status == 405)
                for wrong in ["", "{}", "[]", "{\"address\":1,\"draining\":true}", "{\"address\":\"x\"}"] {
                    #expect(try admin.owner(path, "-X", "PATCH", "-d", wrong).status == 400, "\(wrong)")
                }
                #expect(try admin.owner(path, "-X", "PATCH", "-d", body).status == 200)
            }
        }
    }
}
