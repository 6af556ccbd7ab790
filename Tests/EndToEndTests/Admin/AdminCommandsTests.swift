import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// `braid status`, `connections`, `paths`, `close`, `link`, `top`: what they print, and their exit statuses.
    @Suite(.serialized) struct AdminCommandsTests {
        @Test func statusConnectionsAndClose() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")

                let status = try admin.command("status")
                #expect(status.status == .exited(0), "\(status.standardError)")
                for text in ["near", "tcp://127.0.0.1:8080", "mptcp://127.0.0.1:7143", "ready", "2 connections", "5 B"]
                {
                    #expect(status.standardOutput.contains(text), "\(text): \(status.standardOutput)")
                }
                #expect(!status.standardOutput.contains("\u{1b}"), "colours are for terminals")

                let listed = try JSON.parse(try admin.command("connections", "--json").standardOutput)
                #expect(listed.list.count == 2)
                let near = try #require(listed.list.first { $0["relay"]?.text == "near" })
                let far = try #require(listed.list.first { $0["relay"]?.text == "far" })
                #expect(near["upstream"]?.text == "mptcp://127.0.0.1:7143")
                #expect(near["client"]?.text?.hasPrefix("127.0.0.1:") == true)
                #expect(near["state"]?.text == "relaying")
                #expect(near["multipath"]?.text == "yes")
                #expect(near["bytes_up"]?.number == 5)
                #expect(near["bytes_down"]?.number == 5)
                let ours = try #require(near["subflows"]?[0])
                let theirs = try #require(far["subflows"]?[0])
                #expect(ours["remote"]?.text == "127.0.0.1:7143")
                #expect(ours["local"] == theirs["remote"])
                #expect(ours["leg"]?.text == "upstream")
                #expect(theirs["leg"]?.text == "client")
                #expect(ours["state"]?.text == "established")

                let people = try admin.command("connections").standardOutput
                #expect(people.contains("upstream: 127.0.0.1:"), "\(people)")

                let id = try #require(near["id"]?.number.map { String(UInt64($0)) })
                let closed = try admin.command("close", id)
                #expect(closed.status == .exited(0), "\(closed.standardError)")
                #expect(try await peer.ask("c end") == "ECONNRESET")
                let record = try await admin.braid.connections(1, relay: "near")[0]
                #expect(record.result == "closed-by-operator", "\(record)")
                let change = try await admin.braid.record("admin-change")
                #expect(change["action"] == "close", "\(change)")
                #expect(change.number("uid") == Int(geteuid()), "\(change)")

                let again = try admin.command("close", id)
                #expect(again.status == .exited(1))
                #expect(again.standardError.contains(id), "\(again.standardError)")
            }
        }

        @Test func pathsShowTheKernelsEndpoints() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                try admin.host.run("ip", "mptcp", "limits", "set", "subflows", "3", "add_addr_accepted", "1")
                try admin.host.run("ip", "address", "add", "192.0.2.1/24", "dev", "lo")
                try admin.host.run("ip", "mptcp", "endpoint", "add", "192.0.2.1", "dev", "lo", "subflow", "backup")
                let paths = try JSON.parse(try admin.command("paths", "--json").standardOutput)
                #expect(paths.names.isSuperset(of: ["managed", "limits", "links"]))
                #expect(paths["managed"]?.flag == false)
                #expect(paths["limits"]?["subflows"]?.number == 3)
                #expect(paths["limits"]?["announced"]?.number == 1)
                let endpoint = try #require(paths["endpoints"]?[0])
                #expect(endpoint["address"]?.text == "192.0.2.1")
                #expect(endpoint["interface"]?.text == "lo")
                #expect(endpoint["flags"]?.list.compactMap(\.text) == ["subflow", "backup"])
                let people = try admin.command("paths").standardOutput
                #expect(people.contains("192.0.2.1"), "\(people)")
            }
        }

        @Test func linksAreSwitched() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "router")
                try host.run("ip", "link", "set", "router", "up")
                try host.run("ip", "address", "add", "192.0.2.1/24", "dev", "uplink")
                try host.run("ip", "link", "set", "uplink", "up")
                try host.run("ip", "route", "add", "default", "dev", "uplink")
                let admin = try await AdminLab(
                    AdminLab.relays + "\n[[paths.link]]\nname = \"wifi\"\ninterface = \"uplink\"\n", in: host)
                func link() throws -> JSON {
                    let paths = try JSON.parse(try admin.command("paths", "--json").standardOutput)
                    return try #require(paths["links"]?.list.first { $0["name"]?.text == "wifi" })
                }
                let members: Set = [
                    "name", "interface", "address", "state", "backup", "endpoint_id", "rtt_us", "loss", "bytes_sent",
                    "bytes_received", "subflows",
                ]
                #expect(try link().names.isSuperset(of: members))
                #expect(try link()["state"]?.text == "up")
                #expect(try link()["interface"]?.text == "uplink")
                #expect(try link()["address"]?.text == "192.0.2.1")
                #expect(try link()["endpoint_id"]?.number == nil)
                try host.run(
                    "ip", "mptcp", "endpoint", "add", "192.0.2.1", "id", "5", "dev", "uplink", "subflow")
                #expect(try link()["endpoint_id"]?.number == 5)
                #expect(try admin.command("link", "wifi", "--backup").status == .exited(0))
                #expect(try link()["backup"]?.flag == true)
                #expect(try admin.command("link", "wifi", "--no-backup").status == .exited(0))
                #expect(try link()["backup"]?.flag == false)
                let down = try admin.command("link", "wifi", "--down")
                #expect(down.standardOutput.contains("switched-off"), "\(down.standardOutput)")
                #expect(try link()["state"]?.text == "switched-off")
                #expect(try admin.command("link", "wifi", "--up").status == .exited(0))
                #expect(try link()["state"]?.text == "up")
                #expect(try admin.owner("/v1/links/wifi", "-X", "PATCH", "-d", "{\"nonsense\": true}").status == 400)
                let change = try await admin.braid.record("admin-change")
                #expect(change["link"] == "wifi", "\(change)")
                #expect(try JSON.parse(try admin.owner("/v1/status").body)["links"]?[0]?["name"]?.text == "wifi")
            }
        }

        @Test func exitStatuses() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                #expect(try admin.command("link", "nosuch", "--down").status == .exited(1))
                for wrong in [
                    ["link", "x"], ["link", "x", "--up", "--down"], ["close"], ["close", "x"], ["status", "x"],
                ] {
                    let output = try BraidProgram.run(
                        wrong, in: admin.host, environment: ["BRAID_SOCKET": admin.braid.socket])
                    #expect(output.status == .exited(64), "\(wrong)")
                }
                #expect(try admin.command("top").status == .exited(64), "top needs a terminal")
                for command in [["status"], ["connections"], ["paths"], ["close", "1"], ["link", "x", "--up"]] {
                    let output = try BraidProgram.run(
                        command + ["--socket", "/nonexistent/admin.sock"], in: admin.host)
                    #expect(output.status == .exited(69), "\(command)")
                    #expect(output.standardError.contains("/nonexistent/admin.sock"), "\(output.standardError)")
                    #expect(output.standardOutput == "")
                }
            }
        }

        @Test func topOnATerminal() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                try await peer.must("c read 5")
                for end in ["q", "SIGTERM", "SIGINT"] {
                    let output = try admin.host.run(
                        ["python3", "-c", Self.terminal, BraidProgram.path, end],
                        environment: ["BRAID_SOCKET": admin.braid.socket, "LC_ALL": "C.UTF-8", "TERM": "xterm"],
                        timeout: .seconds(40))
                    #expect(output.standardOutput.contains("ok"), "\(end): \(output.standardOutput)")
                }
            }
        }

        /// Runs top in a terminal of 100 by 30, makes that 60 by 12, ends it, and looks at what it wrote and left.
        private static let terminal = """
            import fcntl, os, pty, select, signal, struct, sys, termios, time
            program, how = sys.argv[1:]
            pid, terminal = pty.fork()
            if pid == 0: os.execv(program, [program, 'top'])
            def size(rows, columns):
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
                os.kill(pid, signal.SIGWINCH)
            def until(wanted, seen=b''):
                end = time.monotonic() + 15
                while not wanted(seen):
                    if time.monotonic() > end: sys.exit('not seen: ' + repr(seen[-3000:]))
                    if select.select([terminal], [], [], 0.2)[0]:
                        try: part = os.read(terminal, 65536)
                        except OSError: part = b''
                        if not part: break
                        seen += part
                return seen
            before = termios.tcgetattr(terminal)
            seen = until(lambda seen: b'q quits' in seen)
            size(30, 100)
            until(lambda seen: b'RELAY' in seen and b'near' in seen and b'mptcp://127.0.0.1:7143' in seen and b'multipath' in seen)
            size(12, 60)
            time.sleep(0)
            def fits(seen):
                frames = seen.split(b'\\x1b[H')
                return len(frames) > 3 and frames[-2].count(b'\\n') == 11
            until(fits)
            if how == 'q': os.write(terminal, b'q')
            else: os.kill(pid, getattr(signal, how))
            last = until(lambda seen: b'\\x1b[?1049l' in seen)
            if b'\\x1b[?25h' not in last: sys.exit('the cursor stays hidden')
            status = os.waitpid(pid, 0)[1]
            if status != 0: sys.exit('status ' + str(status))
            if termios.tcgetattr(terminal)[3] != before[3]: sys.exit('the terminal was left raw')
            print('ok')
            """
    }
}
