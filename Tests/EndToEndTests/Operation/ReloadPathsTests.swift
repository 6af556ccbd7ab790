import FoundationEssentials
import Lab
import Testing

/// A near end with two links whose `[paths]` a test changes while it runs.
private struct ReloadLab {
    let paths: PathsLab
    let braid: BraidProcess

    /// Starts both ends, and a destination behind the far end.
    init(_ lab: Lab, _ section: String, relay: String = "") async throws {
        paths = try PathsLab.make(in: lab)
        _ = try await paths.startFar()
        try await Traffic(in: paths.far).serve("127.0.0.1", port: 9000)
        braid = try await BraidProcess.start(Self.config(paths, section, relay), in: paths.near)
    }

    /// Another `[paths]`.
    @discardableResult
    func reload(_ section: String, relay: String = "") async throws -> LogRecord {
        try await braid.reload(Self.config(paths, section, relay))
    }

    private static func config(_ paths: PathsLab, _ section: String, _ relay: String) -> String {
        """
        \(section)
        [[relay]]
        name = "near"
        listen = "tcp://127.0.0.1:8080"
        upstream = "mptcp://\(paths.wifi.address(of: paths.far)):7143"
        \(relay)

        """
    }

    static func link(_ name: String, _ keys: String = "") -> String {
        "[[paths.link]]\ninterface = \"\(name)\"\n\(keys)\n"
    }

    static func managed(_ keys: String = "", _ links: String...) -> String {
        "[paths]\nmanage = true\n\(keys)\n" + links.joined()
    }

    /// This end of the subflow of the one connection over a link, with its port: another one has another port.
    func subflow(over link: Link) throws -> String? {
        let address = link.address(of: paths.near)
        let output = try paths.near.run("ss", "-tnH", "state", "established", "dport", "7143").standardOutput
        return output.split(separator: "\n").lazy.flatMap { $0.split(separator: " ") }.map(String.init)
            .first { $0.hasPrefix(address + ":") || $0.hasPrefix(address + "%") }
    }

    /// The interfaces whose endpoints are backup.
    func backups() throws -> Set<String> {
        var found: Set<String> = []
        for line in try paths.near.run("ip", "mptcp", "endpoint", "show").standardOutput.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.contains("backup"), let place = words.firstIndex(of: "dev") else { continue }
            found.insert(words[place + 1])
        }
        return found
    }

    func limits() throws -> String { try paths.near.run("ip", "mptcp", "limits", "show").standardOutput }

    func rules() throws -> String { try paths.near.run("ip", "rule", "show").standardOutput }

    /// Waits for a change of a link's role.
    func role(_ link: String, backup: String, after count: Int) async throws -> LogRecord {
        var seen = 0
        return try await braid.record(timeout: .seconds(40)) { record in
            guard record.event == "link-backup", record["link"] == link, record["backup"] == backup else {
                return false
            }
            seen += 1
            return seen > count
        }
    }

    func roles(_ link: String, backup: String) -> Int {
        braid.records("link-backup").count { $0["link"] == link && $0["backup"] == backup }
    }
}

extension EndToEndSuite {
    /// Links and what is said of them change by a reload, under an open connection.
    @Suite(.serialized) struct ReloadPathsTests {
        @Test func aLinkComesChangesAndGoesAndTheOtherNeverFlaps() async throws {
            try await Lab.with { lab in
                let wifi = ReloadLab.link("wifi")
                let near = try await ReloadLab(lab, ReloadLab.managed("", wifi))
                let found = try lab.host("untouched").run("ip", "mptcp", "limits", "show").standardOutput
                let traffic = try Traffic(in: near.paths.near)
                try await traffic.ping("127.0.0.1", port: 8080)
                #expect(try near.paths.subflows() == [1])
                let first = try #require(try near.subflow(over: near.paths.wifi))
                try await traffic.mark()

                let added = try await near.reload(ReloadLab.managed("", wifi, ReloadLab.link("lte")))
                #expect(added["needs_restart"] == "", "\(added)")
                try await near.paths.until("two subflows") { try near.paths.subflows() == [2] }
                let second = try #require(try near.subflow(over: near.paths.lte))

                try await near.reload(ReloadLab.managed("", wifi, ReloadLab.link("lte", "backup = true")))
                let role = try await near.role("lte", backup: "yes", after: 0)
                #expect(role["why"] == "configured", "\(role)")
                #expect(try near.backups() == ["lte"])
                // What only changes its role goes on as it is.
                #expect(try near.subflow(over: near.paths.lte) == second)

                try await near.reload(
                    ReloadLab.managed("max-subflows = 3\nmax-announced = 2", wifi, ReloadLab.link("lte")))
                #expect(try near.limits().contains("add_addr_accepted 2 subflows 3"))
                #expect(try near.backups() == [])
                #expect(try near.subflow(over: near.paths.lte) == second)

                try await near.reload(ReloadLab.managed("", wifi))
                try await near.paths.until("one subflow") { try near.paths.subflows() == [1] }
                #expect(try near.paths.endpoints() == ["wifi", "wifi"])
                let gone = try await near.braid.record("link-down")
                #expect(gone["link"] == "lte" && gone["why"] == "no longer configured", "\(gone)")
                let shown = try BraidProgram.run(
                    ["paths", "--json", "--socket", near.braid.socket], in: near.paths.near)
                #expect(try JSON.parse(shown.standardOutput)["links"]?.list.map { $0["name"]?.text } == ["wifi"])

                try await traffic.wait(for: 10)
                #expect(try near.subflow(over: near.paths.wifi) == first)
                let sample = try await traffic.sample()
                #expect(sample.worst < .milliseconds(500), "\(sample)")
                #expect(try await traffic.errors() == 0)
                traffic.kill()
                try await near.braid.stop()
                #expect(try near.limits() == found)
                #expect(try near.paths.endpoints() == [])
            }
        }

        @Test func rulesAndModeFollow() async throws {
            try await Lab.with { lab in
                let both = ReloadLab.managed("", ReloadLab.link("wifi"), ReloadLab.link("lte"))
                let near = try await ReloadLab(lab, both)
                let traffic = try Traffic(in: near.paths.near)
                try await traffic.ping("127.0.0.1", port: 8080)
                try await near.paths.until("two subflows") { try near.paths.subflows() == [2] }
                #expect(near.braid.records("link-backup").isEmpty)

                // wifi has 20 ms.
                try await near.reload(
                    ReloadLab.managed("", ReloadLab.link("wifi", "max-rtt = \"10ms\""), ReloadLab.link("lte")))
                let slow = try await near.role("wifi", backup: "yes", after: 0)
                #expect(slow["why"]?.contains("above max-rtt (10.0 ms)") == true, "\(slow)")
                try await near.paths.until("wifi is backup") { try near.backups() == ["wifi"] }
                // Without the rule nothing is to be waited for.
                try await near.reload(both)
                _ = try await near.role("wifi", backup: "no", after: 0)
                try await near.paths.until("no link is backup") { try near.backups() == [] }

                try await near.reload(both, relay: "mode = \"handover\"")
                let mode = try await near.role("lte", backup: "yes", after: 0)
                #expect(mode["why"]?.contains("mode handover") == true, "\(mode)")
                try await near.paths.until("lte is backup") { try near.backups() == ["lte"] }
                // The other one is the first now.
                let turned = ReloadLab.managed(
                    "", ReloadLab.link("wifi", "priority = 10"), ReloadLab.link("lte", "priority = 5"))
                try await near.reload(turned, relay: "mode = \"handover\"")
                _ = try await near.role("wifi", backup: "yes", after: 1)
                try await near.paths.until("wifi is backup") { try near.backups() == ["wifi"] }
                try await near.reload(both)
                try await near.paths.until("no link is backup") { try near.backups() == [] }
                try await traffic.wait(for: 10)
                #expect(try await traffic.errors() == 0)
                traffic.kill()
            }
        }

        @Test func managingIsSwitchedOnAndRoutingOnAndOff() async throws {
            try await Lab.with { lab in
                let links = ReloadLab.link("wifi") + ReloadLab.link("lte")
                let near = try await ReloadLab(lab, links)
                let traffic = try Traffic(in: near.paths.near)
                try await traffic.ping("127.0.0.1", port: 8080)
                let first = try #require(try near.subflow(over: near.paths.wifi))
                #expect(try near.paths.endpoints() == [])

                let on = try await near.reload("[paths]\nmanage = true\nrouting = true\n" + links)
                #expect(on["needs_restart"] == "", "\(on)")
                try await near.paths.until("two subflows") { try near.paths.subflows() == [2] }
                #expect(try near.rules().contains("lookup 7101"))
                // What is lost comes back, as if it had been managed from the start.
                try near.paths.lte.carrier(down: true)
                try await near.paths.until("one subflow") { try near.paths.subflows() == [1] }
                try near.paths.lte.carrier(down: false)
                try await near.paths.until("two subflows again") { try near.paths.subflows() == [2] }

                // Giving endpoints back would close every subflow: that waits for a restart, and the rest does not.
                for _ in 0..<2 {
                    let off = try await near.reload(links)
                    #expect(off["needs_restart"] == "paths.manage", "\(off)")
                }
                #expect(try near.paths.endpoints() == ["lte", "lte", "wifi", "wifi"])
                #expect(try !near.rules().contains("lookup 7101"))
                try await traffic.wait(for: 10)
                #expect(try near.subflow(over: near.paths.wifi) == first)
                #expect(try await traffic.errors() == 0)
                traffic.kill()
            }
        }

        @Test func aNewUpstreamIsWatchedLikeTheFirst() async throws {
            try await Lab.with { lab in
                let both = ReloadLab.managed("", ReloadLab.link("wifi"), ReloadLab.link("lte"))
                let near = try await ReloadLab(lab, both)
                let address = near.paths.wifi.address(of: near.paths.far)
                _ = try await BraidProcess.start(
                    "[[relay]]\nlisten = \"mptcp://*:7144\"\nupstream = \"echo://\"\n", in: near.paths.far)
                try await near.reload(
                    both,
                    relay: "[[relay]]\nlisten = \"tcp://127.0.0.1:8081\"\nupstream = \"mptcp://\(address):7144\"\n")
                let peer = try Peer(in: near.paths.near)
                try await peer.must("c connect 127.0.0.1 8081")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                func subflows() throws -> Int {
                    try near.paths.near.run("ss", "-tnH", "state", "established", "dport", "7144").standardOutput
                        .split(separator: "\n").count
                }
                try await near.paths.until("two subflows") { try subflows() == 2 }
                // Both links die, and one comes back: whoever is not known to be dialled would not be helped.
                try near.paths.wifi.carrier(down: true)
                try near.paths.lte.carrier(down: true)
                try await near.paths.until("no link") {
                    near.braid.records("link-down").count >= 2
                }
                try near.paths.lte.carrier(down: false)
                try await peer.must("c send again")
                #expect(try await peer.must("c read 5") == "again")
            }
        }
    }

    /// What else a reload brings into force, and what it leaves.
    @Suite(.serialized) struct ReloadSettingsTests {
        @Test func keysAndUsersFollow() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let directory = try TemporaryDirectory()
                let users = directory.file("users")
                try host.run([BraidProgram.path, "passwd", users, "anna"], input: "first\n")
                for name in ["old", "new"] { try host.run(BraidProgram.path, "keygen", directory.file(name)) }
                try host.run("cp", "-p", directory.file("old"), directory.file("far"))
                func near(_ key: String, _ port: Int) -> String {
                    """
                    [[relay]]
                    name = "\(key)"
                    listen = "socks5://127.0.0.1:\(port)"
                    upstream = "convert://127.0.0.1:7143"
                    destinations = { allow = ["127.0.0.1"] }
                    key-file = "\(directory.file(key))"

                    """
                }
                let config =
                    ChosenDestinationTests.direct.replacing(":3128", with: ":3129").replacing(":1080", with: ":1079")
                    + "\nusers-file = \"\(users)\"\n" + near("old", 1080) + near("new", 1081)
                        + """
                        [[relay]]
                        name = "far"
                        listen = "convert://127.0.0.1:7143"
                        upstream = "direct+tcp://"
                        destinations = { allow = ["127.0.0.1"] }
                        key-file = "\(directory.file("far"))"

                        """
                let braid = try await BraidProcess.start(config, in: host)
                func lets(_ password: String) throws -> Bool {
                    try host.curl(
                        "--proxy", "socks5h://127.0.0.1:1079", "--proxy-user", "anna:\(password)",
                        "http://127.0.0.1:9000/"
                    ).contains("200")
                }
                func opens(_ port: Int) throws -> Bool {
                    try host.curl("--socks5-hostname", "127.0.0.1:\(port)", "http://127.0.0.1:9000/").contains("200")
                }
                #expect(try lets("first") && !lets("second"))
                #expect(try opens(1080) && !opens(1081))
                // The files say something else, and the configuration does not.
                try host.run([BraidProgram.path, "passwd", users, "anna"], input: "second\n")
                try host.run("cp", "-p", directory.file("new"), directory.file("far"))
                #expect(try lets("first") && opens(1080), "before the reload nothing changes")
                try await braid.reload(config)
                #expect(try lets("second") && !lets("first"))
                #expect(try opens(1081) && !opens(1080))
            }
        }

        @Test func theLogFollows() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                func relay(_ ports: Int...) -> String {
                    let listen = ports.map { "\"tcp://127.0.0.1:\($0)\"" }.joined(separator: ", ")
                    return "[[relay]]\nlisten = [\(listen)]\nupstream = \"echo://\"\n"
                }
                let braid = try await BraidProcess.start(relay(8080), in: host, daemon: "log-level = \"notice\"")
                func said(_ port: Int) -> Bool {
                    braid.records.contains {
                        $0["level"] == "info" && $0.message.contains("listens on tcp://127.0.0.1:\(port)")
                    }
                }
                try await braid.reload(relay(8080, 8081), daemon: "log-level = \"notice\"")
                try await braid.reload(relay(8080, 8081), daemon: "log-level = \"info\"")
                try await braid.reload(relay(8080, 8081, 8082), daemon: "log-level = \"info\"")
                #expect(!said(8081) && said(8082))
                try await braid.reload(relay(8080, 8081, 8082), daemon: "log-level = \"notice\"")
                try await braid.reload(relay(8080, 8081, 8082, 8083), daemon: "log-level = \"notice\"")
                #expect(!said(8083))
            }
        }

        @Test func namesOfTheDashboardFollow() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                func answer() throws -> Int { try admin.reader("/v1/status", "-H", "Host: gateway.example.net").status }
                #expect(try answer() == 403)
                let done = try await admin.braid.reload(
                    AdminLab.relays.replacing("[admin]", with: "[admin]\nhosts = [\"gateway.example.net\"]"))
                #expect(done["needs_restart"] == "", "\(done)")
                #expect(try answer() == 200)
                try await admin.braid.reload(AdminLab.relays)
                #expect(try answer() == 403)
            }
        }

        @Test func whatNeedsARestartIsSaidAgainUntilItIsTakenBack() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"), daemon: "threads = 1")
                let other = AdminLab.relays.replacing("http = \"127.0.0.1:9180\"", with: "http = \"127.0.0.1:9181\"")
                for _ in 0..<2 {
                    let done = try await admin.braid.reload(other, daemon: "threads = 2")
                    #expect(done["needs_restart"] == "daemon.threads admin.http", "\(done)")
                    #expect(done["level"] == "warning")
                }
                #expect(try admin.reader("/v1/status").status == 200, "it is served where it was")
                #expect(try JSON.parse(try admin.owner("/v1/status").body)["threads"]?.number == 1)
                let back = try await admin.braid.reload(AdminLab.relays, daemon: "threads = 1")
                #expect(back["needs_restart"] == "", "\(back)")
            }
        }
    }
}
