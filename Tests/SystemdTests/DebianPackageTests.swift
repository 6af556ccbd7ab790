import Foundation
import Testing

/// `make deb`: the package on bare Debian systems, as an administrator uses it.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: DebianPackage.obstacle == nil, Comment(rawValue: DebianPackage.obstacle ?? "")))
struct DebianPackageTests {
    /// A directory with the package, gone with the value.
    private final class Built {
        let directory: String
        let package: String

        init() throws {
            directory = NSTemporaryDirectory() + "braid-deb-" + UUID().uuidString
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            package = try DebianPackage.build(in: directory)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }
    }

    private static let files = "find /etc /usr /var/lib -xdev | grep -vE '^/var/lib/(dpkg|systemd|apt)' | sort"

    @Test func `lintian has nothing to say`() throws {
        let built = try Built()
        let result = try Command.run(
            ["lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", built.package], seconds: 120
        )
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.output.isEmpty, "\(result.output)")
    }

    @Test(arguments: ["bookworm", "trixie"])
    func `it installs, runs, takes a configuration, upgrades, and leaves nothing behind`(release: String) throws {
        let built = try Built()
        let later = try DebianPackage.later(built.package, in: built.directory)
        var setup = SystemdMachine.Setup(root: DebianPackage.tree(release))
        setup.binds["/srv/braid.deb"] = built.package
        setup.binds["/srv/later.deb"] = later
        let machine = try SystemdMachine(setup)
        let before = try machine.script(Self.files)

        try machine.check("dpkg", "--install", "/srv/braid.deb")
        #expect(try machine.property("ActiveState", of: "braid") == "active")
        #expect(try machine.property("UnitFileState", of: "braid") == "enabled")
        #expect(try machine.script("sysctl -n net.mptcp.blackhole_timeout") == "0\n")
        #expect(try machine.script("zcat /usr/share/man/man5/braid.toml.5.gz").contains("monthly"))

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
        #expect(try say(machine, "hello") == "hello\n")
        #expect(try machine.script("braid status").contains("tcp://127.0.0.1:7000"))
        let doctor = try machine.run("braid", "doctor")
        #expect(doctor.status <= 1, "\(doctor.errors)")
        #expect(doctor.output.contains("PASS kernel"))
        #expect(
            try machine.script("journalctl --sync; journalctl -u braid -x --no-pager")
                .contains("A connection through relay echo has ended"))

        try machine.check("dpkg", "--install", "/srv/later.deb")
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        #expect(try machine.script("dpkg-query -W -f '${Version}' braid").hasSuffix("+later"))
        #expect(try say(machine, "again") == "again\n", "the configuration was not kept")

        try machine.check("dpkg", "--purge", "braid")
        #expect(try machine.property("ActiveState", of: "braid") == "inactive")
        #expect(try machine.script(Self.files) == before)
    }

    private func say(_ machine: SystemdMachine, _ text: String) throws -> String {
        try machine.script(
            """
            for _ in $(seq 100); do (: 3<>/dev/tcp/127.0.0.1/7000) 2>/dev/null && break; sleep 0.1; done
            exec 3<>/dev/tcp/127.0.0.1/7000; echo \(text) >&3; read -t 10 -r back <&3; echo "$back"
            """)
    }
}
