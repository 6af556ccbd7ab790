import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// `POST /v1/reload`, who may ask, and what the daemon says of itself while it stops.
    @Suite(.serialized) struct AdminReloadTests {
        /// Writes another configuration in place of the daemon's.
        private func write(_ config: String, _ admin: AdminLab) throws {
            let file = try admin.braid.directory.write(
                config + "\n[daemon]\nlog-format = \"json\"\n", to: "braid.toml.new")
            guard rename(file, admin.braid.directory.file("braid.toml")) == 0 else { throw POSIXError(.EIO) }
        }

        @Test func theNewConfigurationIsInForceWhenItIsAnswered() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let more = "\n[[relay]]\nname = \"comes\"\nlisten = \"tcp://127.0.0.1:8082\"\nupstream = \"echo://\"\n"
                try write(AdminLab.relays + more, admin)
                let answer = try admin.owner("/v1/reload", "-X", "POST")
                #expect(answer.status == 204)
                #expect(answer.body == "")
                let relays = try JSON.parse(try admin.owner("/v1/status").body)["relays"]?.list ?? []
                #expect(relays.map { $0["name"]?.text } == ["near", "far", "page", "comes"])
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8082")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                #expect(
                    try admin.reader("/metrics").body.contains("braid_config_reloads_total{result=\"success\"} 1\n"))
            }
        }

        @Test func everyErrorIsAnswered() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                try write("[[relay]]\nlisten = 5\nupsteam = \"echo://\"\n[paths]\nrace-delay = \"1\"\n", admin)
                let answer = try admin.owner("/v1/reload", "-X", "POST")
                #expect(answer.status == 422)
                let lines = try JSON.parse(answer.body)["error"]?.text?.split(separator: "\n") ?? []
                for place in ["braid.toml:2:10: error: ", "braid.toml:3:1: error: ", "braid.toml:5:14: error: "] {
                    #expect(lines.contains { $0.contains(place) }, "\(place) \(lines)")
                }
                let status = try JSON.parse(try admin.owner("/v1/status").body)
                #expect(status["relays"]?.list.count == 3, "everything runs on as it was")
                #expect(
                    try admin.reader("/metrics").body.contains("braid_config_reloads_total{result=\"failure\"} 1\n"))
            }
        }

        @Test func whoAskedIsInTheLog() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let curl = try admin.host.spawn([
                    "curl", "-sS", "--unix-socket", admin.braid.socket, "-X", "POST", "http://localhost/v1/reload",
                ])
                #expect(try await curl.finish().status == .exited(0))
                let change = try await admin.braid.record("admin-change")
                #expect(change["action"] == "reload", "\(change)")
                #expect(change.number("pid") == Int(curl.pid), "\(change)")
                #expect(change.number("uid") == Int(geteuid()), "\(change)")
            }
        }

        @Test func whileItStopsItIsNotReady() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"), daemon: "drain-timeout = \"60s\"")
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                #expect(try admin.reader("/readyz").status == 200)
                try admin.braid.signal(SIGTERM)
                try await admin.braid.record("daemon-stopping")
                for ask in [{ try admin.owner($0) }, { try admin.reader($0) }]
                    as [(String) throws -> (status: Int, body: String)]
                {
                    let ready = try ask("/readyz")
                    #expect(ready.status == 503)
                    #expect(ready.body == "stopping\n")
                    #expect(try ask("/healthz").status == 200, "it is well, and finishes what is open")
                }
                #expect(try JSON.parse(try admin.owner("/v1/status").body)["draining"]?.flag == true)
                let reload = try admin.owner("/v1/reload", "-X", "POST")
                #expect(reload.status == 422 && reload.body.contains("stopping"), "\(reload)")
                try await peer.must("c close")
                #expect(try await admin.braid.process.finish(timeout: .seconds(20)).status == .exited(0))
            }
        }
    }
}
