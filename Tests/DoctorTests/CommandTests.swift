import FoundationEssentials
import class Foundation.JSONSerialization
import Lab
import LinuxSystem
import Testing

extension DoctorSuite {
    /// `braid doctor` as a program: arguments, configuration, output.
    @Suite(.serialized)
    struct CommandTests {
        /// A configuration file that goes with this object.
        private final class File {
            let path: String
            init(_ text: String) throws {
                path = "/tmp/braid-doctor-\(UUID().uuidString).toml"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            }
            deinit { try? FileManager.default.removeItem(atPath: path) }
        }

        @Test("--json is one document with the same findings")
        func json() async throws {
            try await TwoLinks.with { host in
                try host.near.sysctl("net.mptcp.enabled", "0")
                let output = try host.near.run([Program.path, "doctor", "--json"], expecting: 1)
                #expect(output.standardOutput.split(separator: "\n").count == 1)
                let object = try JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8))
                let document = try #require(object as? [String: Any])
                #expect(document["healthy"] as? Bool == false)
                let checks = try #require(document["checks"] as? [[String: Any]])
                let failed = try #require(checks.first { $0["verdict"] as? String == "FAIL" })
                #expect(failed["check"] as? String == "mptcp-enabled")
                let remedies = try #require(failed["remedies"] as? [[String: String]])
                #expect(remedies.first == ["kind": "fix", "text": "sysctl -w net.mptcp.enabled=1"])
                #expect(remedies.last?["kind"] == "keep")
            }
        }

        @Test("wrong arguments are 64, a wrong configuration 78; a pipe gets no colours")
        func arguments() throws {
            try Lab.with { lab in
                let host = try lab.host("host")
                #expect(try host.doctor(["nonsense"]).status == .exited(64))
                #expect(try host.doctor(["--config", "/nowhere/braid.toml"]).status == .exited(78))
                let wrong = try File("[[relay]]\nlisten = 7\n")
                #expect(try host.doctor(["--config", wrong.path]).status == .exited(78))
                #expect(try !host.doctor().text.contains("\u{1B}"))
            }
        }

        @Test("a host without links: FAIL, and what to do")
        func noLinks() throws {
            try Lab.with { lab in
                let output = try lab.host("host").doctor()
                #expect(output.lines("links").map(\.verdict) == ["FAIL"])
                #expect(output.status == .exited(1))
            }
        }

        @Test("a user without rights sees what anyone may see, and is told what not")
        func unprivileged() async throws {
            try await TwoLinks.with { host in
                let output = try host.near.doctor(
                    prefix: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
                #expect(output.complaints.map(\.found) == [], "\(output.text)")
                #expect(output.lines("firewall").first?.found.contains("only root sees") == true)
                #expect(output.lines("endpoints").first?.found.contains("10.0.2.1") == true)
            }
        }

        @Test(
            "a configuration: links that are not there, upstreams that do not answer, Fast Open, a mark without rights")
        func configuration() async throws {
            try await TwoLinks.with { host in
                let file = try File(
                    """
                    [[paths.link]]
                    interface = "lte"
                    [[paths.link]]
                    interface = "wwan7"
                    [[relay]]
                    name = "imap"
                    listen = "tcp://127.0.0.1:143"
                    upstream = "mptcp://\(host.links[0].address(of: host.far)):9"
                    socket.upstream = { fast-open = true, mark = 7 }
                    """)
                let output = try host.near.doctor(
                    ["--config", file.path],
                    prefix: ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
                #expect(
                    output.lines("links").contains { $0.found == "link wwan7: there is no interface wwan7" },
                    "\(output.text)")
                #expect(output.lines("upstream").first?.verdict == "FAIL")
                #expect(
                    output.lines("upstream").first?.remedies.first?.text.contains("\(file.path):8:") == true,
                    "\(output.text)")
                #expect(output.lines("fast-open").first?.remedies.first?.text.contains(":9:") == true, "\(output.text)")
                let capabilities = output.lines("capabilities")
                #expect(capabilities.contains { $0.found.contains("socket.mark of relay imap needs CAP_NET_ADMIN") })
                #expect(capabilities.contains { $0.fixes == ["sysctl -w net.ipv4.ip_unprivileged_port_start=143"] })
            }
        }

        @Test("paths.manage: endpoints and limits are braid run's business")
        func managed() async throws {
            try await TwoLinks.with { host in
                try host.near.removeEndpoints()
                try host.near.mptcp(subflows: 0, announced: 0)
                let file = try File("[paths]\nmanage = true\n[[paths.link]]\ninterface = \"*\"\n")
                let output = try host.near.doctor(["--config", file.path])
                #expect(output.lines("endpoints").map(\.verdict) == ["PASS"], "\(output.text)")
                #expect(output.lines("limits").map(\.verdict) == ["PASS"])
            }
        }
    }
}
