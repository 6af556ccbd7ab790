import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Every request of the admin interface, and who may make it.
    @Suite(.serialized) struct AdminInterfaceTests {
        @Test func everyEndpointAndMember() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                try await peer.must("c read 5")
                // The same on the socket, on the address, and inside a relay.
                for ask in [
                    { try admin.owner($0) }, { try admin.reader($0) },
                    { try admin.curl(["http://127.0.0.1:8081\($0)"]) },
                ] as [(String) throws -> (status: Int, body: String)] {
                    let status = try JSON.parse(try ask("/v1/status").body)
                    let members: Set = [
                        "version", "pid", "uptime_seconds", "ready", "draining", "threads", "connections", "relays",
                        "links",
                    ]
                    #expect(status.names.isSuperset(of: members))
                    #expect(status["pid"]?.number == Double(admin.braid.pid))
                    #expect(status["ready"]?.flag == true)
                    let near = try #require(status["relays"]?[0])
                    let relay: Set = [
                        "name", "listen", "upstreams", "open", "accepted", "refused", "failed", "bytes_up",
                        "bytes_down",
                        "multipath", "fallback",
                    ]
                    #expect(near.names.isSuperset(of: relay))
                    #expect(near["name"]?.text == "near")
                    #expect(near["open"]?.number == 1)
                    #expect(near["bytes_up"]?.number == 5)
                    #expect(near["upstreams"]?[0]?["address"]?.text == "mptcp://127.0.0.1:7143")
                    #expect(near["upstreams"]?[0]?["healthy"]?.flag == true)
                    #expect(near["upstreams"]?[0]?["connections"]?.number == 1)
                    let connections = try JSON.parse(try ask("/v1/connections").body)
                    let row = try #require(connections.list.first { $0["relay"]?.text == "near" })
                    let connection: Set = [
                        "id", "relay", "client", "upstream", "destination", "state", "age_seconds", "bytes_up",
                        "bytes_down", "multipath", "subflows",
                    ]
                    #expect(row.names.isSuperset(of: connection))
                    let subflow: Set = [
                        "local", "remote", "link", "rtt_us", "bytes_sent", "bytes_received", "retransmits", "backup",
                        "state",
                    ]
                    #expect(row["subflows"]?[0]?.names.isSuperset(of: subflow) == true)
                    #expect(
                        try JSON.parse(try ask("/v1/paths").body).names.isSuperset(of: ["managed", "limits", "links"]))
                    let busiest = try JSON.parse(try ask("/v1/busiest?search=near&limit=5").body)
                    #expect(busiest["matching"]?.number == 1)
                    #expect(busiest["multipath"]?.number ?? 0 >= 2)
                    #expect(try JSON.parse(try ask("/v1/history").body)["interval_seconds"]?.number == 2)
                    #expect(try JSON.parse(try ask("/openapi.json").body)["openapi"]?.text == "3.1.0")
                    #expect(try ask("/healthz").status == 200)
                    #expect(try ask("/readyz").status == 200)
                    #expect(try ask("/").body.contains("<title>Braid</title>"))
                    #expect(try ask("/metrics").body.contains("braid_build_info{version="))
                    #expect(try ask("/nonsense").status == 404)
                    #expect(try ask("/v1/busiest?limit=0").status == 400)
                }
            }
        }

        /// Everything that the interface's description names is there.
        @Test func theDescriptionIsTrue() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let paths = try #require(JSON.parse(try admin.owner("/openapi.json").body)["paths"])
                for path in paths.names where paths[path]?["get"] != nil && path != "/v1/events" {
                    #expect(try admin.reader(path).status == 200, "\(path)")
                }
            }
        }

        @Test func addressesAreReadOnly() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                for (method, path) in [
                    ("DELETE", "/v1/connections/256"), ("PATCH", "/v1/links/wifi"), ("POST", "/v1/reload"),
                ] {
                    for place in ["http://127.0.0.1:9180", "http://127.0.0.1:8081"] {
                        let answer = try admin.curl(["-X", method, "-d", "{\"up\": false}", place + path])
                        #expect(answer.status == 403, "\(method) \(place)\(path): \(answer.body)")
                    }
                    let answer = try admin.owner(path, "-X", "PUT")
                    #expect(answer.status == 405, "\(answer.body)")
                }
                #expect(try admin.reader("/v1/status", "-X", "POST").status == 405)
                #expect(try admin.owner("/v1/reload", "-X", "POST").status != 403)
            }
        }

        @Test func otherNamesAndOriginsAreRefused() async throws {
            try await Lab.with { lab in
                let config = AdminLab.relays.replacing("[admin]", with: "[admin]\nhosts = [\"gateway.example.net\"]")
                let admin = try await AdminLab(config, in: try lab.host("alone"))
                for place in ["http://127.0.0.1:9180/v1/status", "http://127.0.0.1:8081/v1/connections"] {
                    #expect(try admin.curl(["-H", "Host: evil.example", place]).status == 403)
                    #expect(try admin.curl(["-H", "Host: 127.0.0.1.evil.example", place]).status == 403)
                    #expect(try admin.curl(["-H", "Origin: http://evil.example", place]).status == 403)
                    #expect(try admin.curl(["-H", "Host: localhost:9180", place]).status == 200)
                    #expect(try admin.curl(["-H", "Host: gateway.example.net", place]).status == 200)
                }
            }
        }

        @Test func eventsStream() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let stream = try admin.host.spawn([
                    "curl", "-sN", "--unix-socket", admin.braid.socket, "http://localhost/v1/events?status=1",
                ])
                try await stream.line(containing: "event: status", timeout: .seconds(20))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await stream.line(containing: "event: connection-opened", timeout: .seconds(20))
                let opened = try await stream.line(containing: "\"relay\":\"near\"", timeout: .seconds(20))
                #expect(opened.contains("\"upstream\":\"mptcp://127.0.0.1:7143\""), "\(opened)")
                try await peer.must("c close")
                try await stream.line(containing: "event: connection-closed", timeout: .seconds(20))
                try await stream.line(containing: "\"result\":\"closed\"", timeout: .seconds(20))
                // A stop ends the stream in order.
                try await admin.braid.stop()
                #expect(try await stream.finish().status == .exited(0))
            }
        }

        @Test func theSocketIsTheOwnersAlone() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                var info = stat()
                #expect(stat(admin.braid.socket, &info) == 0)
                #expect(info.st_mode & 0o7777 == 0o600)
                try await admin.braid.stop()
                #expect(!FileManager.default.fileExists(atPath: admin.braid.socket))
            }
        }

        @Test func aSocketThatCannotBeOpened() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let relay = "[[relay]]\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = \"echo://\"\n"
                let refusal = try BraidProgram.refusal(
                    config: "[admin]\nsocket = \"/nonexistent/admin.sock\"\n" + relay, in: host)
                #expect(refusal.status == .exited(71))
                #expect(refusal.message.contains("braid.toml:2:"), "\(refusal.message)")
                #expect(refusal.message.contains("/nonexistent/admin.sock"), "\(refusal.message)")
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9180")
                let taken = try BraidProgram.refusal(
                    config: "[admin]\nhttp = \"127.0.0.1:9180\"\n" + relay, in: host)
                #expect(taken.status == .exited(71))
                #expect(taken.message.contains("braid.toml:2:"), "\(taken.message)")
                // The default one is only tried.
                let directory = try TemporaryDirectory()
                let file = try directory.write("", to: "occupied")
                let braid = try await BraidProcess.start(
                    relay, in: host, environment: ["BRAID_SOCKET": file + "/admin.sock"])
                #expect(try await braid.record("admin-unavailable").message.contains("occupied"))
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
            }
        }
    }
}
