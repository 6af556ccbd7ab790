import Lab
import Testing

extension EndToEndSuite {
    /// Roles of links: by rule, by priority, and by `braid link`.
    @Suite(.serialized) struct PathsRoleTests {
        @Test func maxLossMakesALinkBackup() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                let rules = PathsLab.managed.replacing("manage = true", with: "manage = true\nguard = false")
                    .replacing("interface = \"wifi\"", with: "interface = \"wifi\"\nmax-loss = 0.02")
                let near = try await paths.startNear(paths: rules)
                let (client, server) = try await paths.applications()
                try await client.up("127.0.0.1", port: 8080)
                try await server.wait(for: 1_000_000)
                #expect(near.records("link-backup").isEmpty)
                paths.wifi.set(loss: 0.1)
                let left = try await near.record(timeout: .seconds(30)) { $0.event == "link-backup" }
                #expect(left["link"] == "wifi" && left["backup"] == "yes", "\(left)")
                #expect(left["why"]?.contains("above max-loss (2.0 %)") == true, "\(left)")
                try await paths.until("wifi is backup") { try paths.backupEndpoints() == ["wifi", "wifi"] }
                try await server.wait(for: 1_000_000)
                #expect(try await server.errors() == 0)
            }
        }

        @Test func theLowestPriorityIsDialledFirst() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                // Unmanaged: then there is the first subflow and no other.
                let links = """
                    [[paths.link]]
                    interface = "wifi"
                    priority = 5
                    [[paths.link]]
                    interface = "lte"
                    priority = 1

                    """
                _ = try await paths.startNear(paths: links)
                for count in 1...2 {
                    try await Traffic(in: paths.near).ping("127.0.0.1", port: 8080)
                    try await paths.until("a connection over lte") {
                        try paths.subflows(over: paths.lte).count == count
                    }
                }
                #expect(try paths.subflows(over: paths.wifi).isEmpty)
            }
        }

        @Test func braidLinkChangesTheKernelsEndpoints() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                let near = try await paths.startNear()
                let (client, _) = try await paths.applications()
                try await client.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                func link(_ change: String) throws {
                    let output = try BraidProgram.run(
                        ["link", "wifi", change], in: paths.near, environment: ["BRAID_SOCKET": near.socket])
                    #expect(output.status == .exited(0), "\(output.standardError)")
                }
                // The answer comes when it is done.
                try link("--backup")
                #expect(try paths.backupEndpoints() == ["wifi", "wifi"])
                var role = try await near.record { $0.event == "link-backup" && $0["backup"] == "yes" }
                #expect(role["link"] == "wifi" && role["why"] == "braid link", "\(role)")
                try link("--no-backup")
                #expect(try paths.backupEndpoints() == [])
                role = try await near.record { $0.event == "link-backup" && $0["backup"] == "no" }
                #expect(role["link"] == "wifi", "\(role)")
                try link("--down")
                #expect(try paths.endpoints() == ["lte", "lte"])
                let down = try await near.record("link-down")
                #expect(down["link"] == "wifi" && down["state"] == "switched-off", "\(down)")
                try await paths.until("one subflow") { try paths.subflows() == [1] }
                try await client.wait(for: 10)
                try link("--up")
                #expect(try paths.endpoints() == PathsLab.allEndpoints)
                try await near.record { $0.event == "link-up" && near.records("link-up").count == 3 }
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try await client.errors() == 0)
            }
        }
    }
}
