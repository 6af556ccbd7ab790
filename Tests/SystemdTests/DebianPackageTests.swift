import Foundation
import Testing

/// `make deb`: the package on bare Debian systems, as an administrator uses it.
@Suite(
    .serialized, .timeLimit(.minutes(10)),
    .enabled(if: DebianPackage.obstacle == nil, Comment(rawValue: DebianPackage.obstacle ?? "")))
struct DebianPackageTests {
    private static let soak = ProcessInfo.processInfo.environment["BRAID_SOAK"] == "1"

    private static let files = "find /etc /usr /var/lib -xdev | grep -vE '^/var/lib/(dpkg|systemd|apt)' | sort"

    @Test func `lintian has nothing to say`() throws {
        let result = try Command.run(
            [
                "lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", DebianPackage.path(),
            ], seconds: 120)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.output.isEmpty, "\(result.output)")
    }

    @Test func `the program is smaller than 25 MB`() throws {
        let bytes = try FileManager.default.attributesOfItem(atPath: DebianPackage.program)[.size] as? Int
        print("measured: the program has \(bytes ?? 0) bytes")
        #expect(try #require(bytes) < 25_000_000)
    }

    @Test func `man pages render, and the shells take their completions`() throws {
        let tree = NSTemporaryDirectory() + "braid-package-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: tree) }
        try Command.check(["dpkg-deb", "--extract", DebianPackage.path(), tree])
        for (page, section) in [
            ("man1/braid.1", "SIGNALS"), ("man1/braid-doctor.1", "WHAT IS CHECKED"), ("man5/braid.toml.5", "[daemon]"),
            ("man7/mptcp-relay.7", "SEE ALSO"),
        ] {
            let file = "\(tree)/usr/share/man/\(page).gz"
            let result = try Command.run(
                ["man", "--warnings", "-E", "UTF-8", "-Tutf8", "-P", "cat", "--local-file", file])
            #expect(result.status == 0 && result.errors.isEmpty, "\(page): \(result.errors)")
            // Bold letters are struck twice.
            let text = result.output.replacing(/.\u{8}/, with: "")
            #expect(text.contains("NAME\n") && text.contains("\n\(section)\n"), "\(page): \(text.prefix(500))")
        }
        for (shell, file) in [
            ("bash", "bash-completion/completions/braid"), ("zsh", "zsh/site-functions/_braid"),
            ("fish", "fish/vendor_completions.d/braid.fish"),
        ] {
            let path = "\(tree)/usr/share/\(file)"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text.contains("takeover") && text.contains("doctor"), "\(file)")
            guard Command.path(of: shell) != nil else { continue }
            let result = try Command.run([shell, "-n", path])
            #expect(result.status == 0 && result.errors.isEmpty, "\(shell): \(result.errors)")
        }
    }

    private func machine(_ release: String, _ packages: [String: String]) throws -> SystemdMachine {
        var setup = SystemdMachine.Setup(root: DebianPackage.tree(release))
        for (name, path) in packages { setup.binds["/srv/\(name)"] = path }
        setup.binds["/usr/bin/braid-crowd"] = Crowd.binary
        return try SystemdMachine(setup)
    }

    @Test(arguments: ["bookworm", "trixie"])
    func `it installs, runs, takes a configuration, upgrades, and leaves nothing behind`(release: String) throws {
        let machine = try machine(
            release,
            [
                "braid.deb": DebianPackage.path(),
                "later.deb": DebianPackage.later("later", configuration: "# What the later one says.\n"),
            ])
        let before = try machine.script(Self.files)

        try machine.check("dpkg", "--install", "/srv/braid.deb")
        #expect(try machine.property("ActiveState", of: "braid") == "active")
        #expect(try machine.property("UnitFileState", of: "braid") == "enabled")
        #expect(try machine.script("sysctl -n net.mptcp.blackhole_timeout") == "0\n")

        // A configuration of the administrator's own.
        try machine.script(
            """
            cat >/etc/braid/braid.toml <<END
            [[relay]]
            name = "echo"
            listen = "tcp://127.0.0.1:7000"
            upstream = "echo://"
            END
            braid check
            systemctl reload braid
            """)
        try machine.waitFor("StatusText", of: "braid") { $0.hasPrefix("1 relay") }
        #expect(try say(machine, "hello") == "hello\n")
        #expect(try machine.script("braid status").contains("tcp://127.0.0.1:7000"))
        let doctor = try machine.run("braid", "doctor")
        #expect(doctor.status <= 1, "\(doctor.errors)")
        #expect(doctor.output.contains("PASS kernel"))
        #expect(
            try machine.script("journalctl --sync; journalctl -u braid -x --no-pager")
                .contains("A connection through relay echo has ended"))

        // An instance, and the socket of the example.
        try machine.script(
            """
            sed 's/7000/7010/' /etc/braid/braid.toml >/etc/braid/home.toml
            systemctl enable --quiet --now braid@home
            cp /usr/share/doc/braid/examples/braid.socket /etc/systemd/system/
            sed -i 's|"tcp://127.0.0.1:7000"|["tcp://127.0.0.1:7000", "fd://imap"]|' /etc/braid/braid.toml
            systemctl daemon-reload
            systemctl stop braid; systemctl start braid.socket braid.service
            """)
        #expect(try say(machine, "instance", port: 7010) == "instance\n")
        #expect(try machine.script("braid status --socket /run/braid-home/admin.sock").contains(":7010"))
        #expect(try say(machine, "socket", port: 143) == "socket\n")

        // An upgrade keeps what was edited, although the package has another file there; both services hand over.
        let processes = try ["braid", "braid@home"].map { try machine.property("MainPID", of: $0) }
        let said = try machine.check("dpkg", "--force-confdef", "--force-confold", "--install", "/srv/later.deb")
        for (unit, process) in zip(["braid", "braid@home"], processes) {
            #expect(try machine.property("ActiveState", of: unit) == "active")
            #expect(try machine.property("MainPID", of: unit) != process, "\(said.output)\(said.errors)")
        }
        #expect(try machine.script("dpkg-query -W -f '${Version}' braid").hasSuffix("+later"))
        for port in [7000, 143, 7010] { #expect(try say(machine, "again", port: port) == "again\n") }
        #expect(try machine.script("cat /etc/braid/braid.toml.dpkg-dist").contains("What the later one says."))

        // Removed, it leaves the configuration; purged, nothing.
        try machine.script("systemctl disable --quiet --now braid.socket; rm /etc/systemd/system/braid.socket")
        try machine.check("dpkg", "--remove", "braid")
        for unit in ["braid", "braid@home"] {
            #expect(try machine.property("ActiveState", of: unit) != "active")
        }
        #expect(try machine.run("pgrep", "-x", "braid").status == 1)
        #expect(try machine.script("cat /etc/braid/braid.toml").contains("fd://imap"))
        try machine.script("rm /etc/braid/home.toml")
        try machine.check("dpkg", "--purge", "braid")
        #expect(try machine.script(Self.files) == before)
        #expect(
            try machine.script(
                "find / -xdev -name '*braid*' -not -path '/srv/*' -not -path '/usr/bin/braid-crowd' -not -path '/proc/*'"
            ).isEmpty)
    }

    @Test func `an upgrade that cannot start keeps the former program running, and says so`() throws {
        let machine = try machine(
            "bookworm", ["braid.deb": DebianPackage.path(), "later.deb": DebianPackage.later("broken")])
        try machine.check("dpkg", "--install", "/srv/braid.deb")
        let process = try machine.property("MainPID", of: "braid")
        try machine.script("echo nonsense >>/etc/braid/braid.toml")
        let said = try machine.check("dpkg", "--install", "/srv/later.deb")
        #expect(said.errors.contains("has not handed over"), "\(said.output)\(said.errors)")
        #expect(try machine.property("MainPID", of: "braid") == process)
        #expect(try machine.property("ActiveState", of: "braid") == "active")
    }

    @Test(arguments: ["bookworm", "trixie"])
    func `upgrades under load refuse and reset nobody`(release: String) throws {
        let count = Self.soak ? 5 : 1
        var packages = ["braid.deb": try DebianPackage.path()]
        for number in 1...count { packages["\(number).deb"] = try DebianPackage.later("load\(number)") }
        let machine = try machine(release, packages)
        try machine.script("mkdir /etc/braid")
        try machine.script(
            """
            cat >/etc/braid/braid.toml <<END
            [daemon]
            log-connections = false
            [[relay]]
            name = "near"
            listen = "tcp://127.0.0.1:7001"
            upstream = "mptcp://127.0.0.1:7002"
            [[relay]]
            name = "far"
            listen = "mptcp://127.0.0.1:7002"
            upstream = "tcp://127.0.0.1:9001"
            END
            dpkg --force-confdef --force-confold --install /srv/braid.deb
            """)
        try Crowd.serve(machine, ports: [9001])
        let crowd = try Crowd(
            machine, to: ["tcp:127.0.0.1:7001", "mptcp:127.0.0.1:7002"], rate: 500, long: 1000, heavy: 4)
        var processes: Set = [try machine.property("MainPID", of: "braid")]
        for number in 1...count {
            try machine.script("dpkg --install /srv/\(number).deb; sleep 1")
            processes.insert(try machine.property("MainPID", of: "braid"))
        }
        let result = try crowd.finish()
        print("\(count) upgrades on \(release): \(result)")
        #expect(processes.count == count + 1)
        #expect(result.failed == 0 && result.longBroken == 0, "\(result)")
        #expect(result.done == result.started && result.long == 1004, "\(result)")
        #expect(try machine.property("NRestarts", of: "braid") == "0")
    }

    /// One connection, begun at once: it has to be accepted.
    private func say(_ machine: SystemdMachine, _ text: String, port: Int = 7000) throws -> String {
        try machine.script(
            "exec 3<>/dev/tcp/127.0.0.1/\(port); echo \(text) >&3; read -t 10 -r back <&3; echo \"$back\"")
    }
}
