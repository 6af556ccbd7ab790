import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// Rules of links, and modes of relays.
    @Suite(.serialized) struct PolicyTests {
        private func ping(_ paths: PathsLab) async throws -> Traffic {
            let traffic = try Traffic(in: paths.near)
            try await traffic.ping("127.0.0.1", port: 8080)
            return traffic
        }

        private func serve(_ paths: PathsLab) async throws {
            _ = try await paths.startFar()
            let server = try Traffic(in: paths.far)
            try await server.serve("127.0.0.1", port: 9000)
        }

        /// The near host's endpoints that are backup, by interface.
        private func backups(_ paths: PathsLab) throws -> Set<String> {
            var found: Set<String> = []
            for line in try paths.near.run("ip", "mptcp", "endpoint", "show").standardOutput.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard words.contains("backup"), let place = words.firstIndex(of: "dev") else { continue }
                found.insert(words[place + 1])
            }
            return found
        }

        @Test func maxRTTMakesALinkBackupAndLetsItComeBack() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                try await serve(paths)
                let rules = PathsLab.managed.replacing(
                    "interface = \"wifi\"", with: "interface = \"wifi\"\nmax-rtt = \"100ms\"")
                let braid = try await paths.startNear(paths: rules)
                let traffic = try await ping(paths)
                try await traffic.wait(for: 20)
                #expect(try backups(paths) == [])
                paths.wifi.set(delay: .milliseconds(150))
                let left = try await braid.record(timeout: .seconds(30)) { $0.event == "link-backup" }
                #expect(left["link"] == "wifi" && left["backup"] == "yes", "\(left)")
                #expect(left["why"]?.contains("above max-rtt (100.0 ms)") == true, "\(left)")
                try await paths.until("wifi is backup") { try backups(paths) == ["wifi"] }
                // The other link carries now, at its own 40 ms.
                try await traffic.wait(for: 10)
                try await traffic.mark()
                try await traffic.wait(for: 50)
                let sample = try await traffic.sample()
                #expect(sample.worst < .milliseconds(250), "\(sample)")
                paths.wifi.set(delay: .milliseconds(10))
                // Nothing shows that but a trial.
                let back = try await braid.record(timeout: .seconds(60)) {
                    $0.event == "link-backup" && $0["backup"] == "no"
                }
                #expect(back["link"] == "wifi", "\(back)")
                try await paths.until("wifi is no longer backup") { try backups(paths) == [] }
                traffic.kill()
            }
        }

        @Test(arguments: ["backup", "off"])
        func aMonthlyLimitSurvivesARestart(over: String) async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                try await serve(paths)
                let directory = try TemporaryDirectory()
                let rules = PathsLab.managed.replacing(
                    "interface = \"lte\"",
                    with: "interface = \"lte\"\nmonthly-limit = \"2MB\"\nover-limit = \"\(over)\"")
                func start() async throws -> BraidProcess {
                    try await BraidProcess.start(
                        """
                        \(rules)
                        [[relay]]
                        listen = "tcp://127.0.0.1:8080"
                        upstream = "mptcp://\(paths.wifi.address(of: paths.far)):7143"
                        """, in: paths.near, environment: ["STATE_DIRECTORY": directory.path])
                }
                func isPast(_ record: LogRecord) -> Bool {
                    record["link"] == "lte"
                        && (over == "off"
                            ? record.event == "link-down" && record["state"] == "over-limit"
                            : record.event == "link-backup" && record["why"]?.contains("monthly limit") == true)
                }
                let braid = try await start()
                let traffic = try Traffic(in: paths.near)
                try await traffic.down("127.0.0.1", port: 8080)
                try await braid.record(timeout: .seconds(30), where: isPast)
                if over == "off" {
                    try await paths.until("lte is out of use") { try !paths.endpoints().contains("lte") }
                } else {
                    try await paths.until("lte is backup") { try backups(paths).contains("lte") }
                }
                traffic.kill()
                try await braid.stop()
                let kept = try String(contentsOfFile: directory.file("usage"), encoding: .utf8)
                #expect(kept.hasPrefix("braid usage 1\n"), "\(kept)")
                let used = kept.split(separator: "\n").first { $0.hasSuffix(" lte") }?.split(separator: " ").first
                #expect(used.flatMap { Int($0) } ?? 0 >= 2_000_000, "\(kept)")

                let again = try await start()
                try await paths.until("lte is past its limit from the start") {
                    over == "off" ? try !paths.endpoints().contains("lte") : try backups(paths).contains("lte")
                }
                try await again.stop()

                // What is no book of use is moved aside, and said.
                _ = try directory.write("nonsense", to: "usage")
                let third = try await start()
                let said = try await third.record("usage-not-kept")
                #expect(said["file"] == directory.file("usage"), "\(said)")
                #expect(try backups(paths) == [] && paths.endpoints().contains("lte"))
            }
        }

        @Test func handoverUsesOneLinkAndMovesOnFailure() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                try await serve(paths)
                let braid = try await paths.startNear(relay: "mode = \"handover\"")
                try await paths.until("lte is backup") { try backups(paths) == ["lte"] }
                let traffic = try await ping(paths)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await traffic.wait(for: 20)
                let before = paths.lte.counters(.aToB).bytes
                try await traffic.wait(for: 50)
                // A join's handshake and keepalive at most.
                #expect(paths.lte.counters(.aToB).bytes - before < 2000)
                try paths.wifi.carrier(down: true)
                try await braid.record("link-down")
                try await paths.until("lte is used") { try backups(paths) == [] }
                try await traffic.wait(for: 20)
                try paths.wifi.carrier(down: false)
                try await paths.until("wifi is used again") {
                    try backups(paths) == ["lte"] && paths.endpoints().contains("wifi")
                }
                try await traffic.wait(for: 20)
                #expect(try await traffic.errors() == 0)
                traffic.kill()
            }
        }

        @Test func interactiveMovesOnDelay() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                try await serve(paths)
                let braid = try await paths.startNear(relay: "mode = \"interactive\"")
                let traffic = try await ping(paths)
                try await paths.until("lte is backup") { try backups(paths) == ["lte"] }
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await traffic.wait(for: 50)
                paths.wifi.set(delay: .milliseconds(100))
                try await braid.record(timeout: .seconds(30)) {
                    $0.event == "link-backup" && $0["link"] == "wifi" && $0["backup"] == "yes"
                }
                try await paths.until("wifi is backup") { try backups(paths) == ["wifi"] }
                try await traffic.wait(for: 10)
                try await traffic.mark()
                try await traffic.wait(for: 40)
                let sample = try await traffic.sample()
                #expect(sample.worst < .milliseconds(190), "\(sample)")
                traffic.kill()
            }
        }
    }
}
