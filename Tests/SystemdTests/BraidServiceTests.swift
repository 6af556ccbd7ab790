import Foundation
import ServiceManager
import Testing

/// Near and far end in one process: plain TCP on 7001 over MPTCP to 7002 and back.
private let loop = """
    [[relay]]
    name = "near"
    listen = "tcp://127.0.0.1:7001"
    upstream = "mptcp://127.0.0.1:7002"
    [[relay]]
    name = "far"
    listen = "mptcp://127.0.0.1:7002"
    upstream = "echo://"
    """

/// The daemon as a service, under real systemd, with the unit file as shipped.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct BraidServiceTests {
    private func id(_ kind: EventKind) -> String { "MESSAGE_ID=" + kind.messageID }

    @Test func `start waits until every listener accepts, and status shows the STATUS line`() throws {
        let machine = try Braid.machine(loop)
        try machine.check("systemctl", "start", "braid")
        // No waiting here: when start returns, the listeners accept.
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("hello") == "hello")
        #expect(try machine.property("ActiveState", of: "braid") == "active")
        try machine.waitFor("StatusText", of: "braid") { $0 == "2 relays, 2 connections" }
        #expect(
            try machine.check("systemctl", "status", "braid").output.contains("Status: \"2 relays, 2 connections\""))
        try client.close()
        try machine.waitFor("StatusText", of: "braid") { $0 == "2 relays, 0 connections" }
    }

    @Test func `the journal has a record of each connection with its fields, and explains it`() throws {
        let machine = try Braid.machine(loop)
        try machine.check("journalctl", "--update-catalog")
        try machine.check("systemctl", "start", "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("hello") == "hello")
        try client.close()
        try machine.waitFor("StatusText", of: "braid") { $0 == "2 relays, 0 connections" }

        let records = try machine.journal(id(.connectionEnded), count: 2)
        #expect(records.compactMap { $0["BRAID_RELAY"] }.sorted() == ["far", "near"])
        let near = try #require(records.first { $0["BRAID_RELAY"] == "near" })
        #expect(near["BRAID_MULTIPATH"] == "yes")
        #expect(near["BRAID_SUBFLOWS"] == "1")
        #expect(near["BRAID_BYTES_UP"] == "6")
        #expect(near["BRAID_BYTES_DOWN"] == "6")
        #expect(near["BRAID_RESULT"] == "closed")
        #expect(near["BRAID_CLIENT"]?.hasPrefix("127.0.0.1:") == true)
        #expect(near["BRAID_UPSTREAM"] == "mptcp://127.0.0.1:7002")
        #expect(near["BRAID_CONNECTION"].flatMap { UInt64($0) } != nil)
        #expect(near["BRAID_DURATION_USEC"].flatMap { UInt64($0) } ?? 0 > 0)
        #expect(near["BRAID_CONNECT_USEC"].flatMap { UInt64($0) } ?? 0 > 0)
        #expect(near["PRIORITY"] == "6")
        #expect(near["SYSLOG_IDENTIFIER"] == "braid")
        #expect(near["_TRANSPORT"] == "journal")
        #expect(near["_SYSTEMD_UNIT"] == "braid.service")

        let explained = try machine.check("journalctl", "-x", "--no-pager", id(.connectionEnded), "BRAID_RELAY=near")
            .output
        #expect(explained.contains("Subject: A connection through relay near has ended"))
        #expect(explained.contains("with the result \"closed\""))
        // Every field that the explanations of what was logged want was there.
        let all = try machine.check("journalctl", "-x", "--no-pager", "_SYSTEMD_UNIT=braid.service").output
        #expect(all.contains("Subject: Braid is ready"))
        #expect(!all.contains("@BRAID_"), "\(all)")
    }

    @Test func `a process that hangs is killed by the watchdog and started again`() throws {
        let machine = try Braid.machine(loop, service: "WatchdogSec=2s\nRestartSec=100ms")
        try machine.check("systemctl", "start", "braid")
        let first = try machine.property("MainPID", of: "braid")
        try machine.check("kill", "-STOP", first)
        try machine.waitFor("NRestarts", of: "braid") { $0 == "1" }
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        #expect(try machine.property("MainPID", of: "braid") != first)
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("again") == "again")
        let log = try machine.check("journalctl", "--no-pager", "UNIT=braid.service").output
        #expect(log.contains("Watchdog timeout"))
    }

    @Test func `a single event loop that hangs is said, killed by the watchdog and started again`() throws {
        let machine = try Braid.machine(
            loop, service: "WatchdogSec=2s\nRestartSec=100ms\nEnvironment=BRAID_TEST_STALL_LOOP=1")
        try machine.check("systemctl", "start", "braid")
        let first = try machine.property("MainPID", of: "braid")
        try machine.check("kill", "-USR2", first)
        try machine.waitFor("NRestarts", of: "braid") { $0 == "1" }
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("again") == "again")
        let records = try machine.journal(id(.loopStuck))
        #expect(records.map { $0["BRAID_LOOP"] } == ["0"])
        #expect(records.first?["PRIORITY"] == "2")
        #expect(records.first?["_PID"] == first)
    }

    @Test func `an idle daemon that is well keeps its watchdog content`() throws {
        let machine = try Braid.machine(loop, service: "WatchdogSec=1s")
        try machine.check("systemctl", "start", "braid")
        let first = try machine.property("WatchdogTimestampMonotonic", of: "braid")
        // Seven pings, each half a second after the other, are three watchdog periods and more.
        var last = first
        for _ in 0..<7 { last = try machine.waitFor("WatchdogTimestampMonotonic", of: "braid") { $0 != last } }
        #expect(try machine.property("NRestarts", of: "braid") == "0")
        let elapsed = try #require(UInt64(last)) - #require(UInt64(first))
        #expect(elapsed >= 3_000_000)
        #expect(try machine.journal(id(.loopStuck)).isEmpty)
    }

    @Test func `a socket unit's socket is taken by its name`() throws {
        let socket = """
            [Socket]
            ListenStream=127.0.0.1:143
            FileDescriptorName=imap
            Service=braid.service
            """
        let other = socket.replacing("143", with: "144").replacing("imap", with: "unused")
        let machine = try Braid.machine(
            """
            [[relay]]
            name = "mail"
            listen = "fd://imap"
            upstream = "echo://"
            """,
            service: "Sockets=braid.socket other.socket",
            files: ["/etc/systemd/system/braid.socket": socket, "/etc/systemd/system/other.socket": other])
        try machine.check("systemctl", "start", "braid.socket", "other.socket")
        #expect(try machine.property("ActiveState", of: "braid") == "inactive")
        // The first client starts the daemon, on a port below 1024 for which it has no privilege.
        let client = try MachineClient(machine, port: 143)
        #expect(try client.say("hello") == "hello")
        // Clients are served a moment before systemd has heard of it.
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        let unused = try machine.journal(id(.inheritedSocketUnused))
        #expect(unused.map { $0["BRAID_NAME"] } == ["unused"])
    }

    @Test func `a socket name that systemd does not pass is an error with its line`() throws {
        let machine = try Braid.machine(
            """
            [[relay]]
            listen = "fd://imap"
            upstream = "echo://"
            """, service: "Restart=no")
        #expect(try machine.run("systemctl", "start", "braid").status != 0)
        #expect(try machine.property("ExecMainStatus", of: "braid") == "71")
        try machine.check("journalctl", "--sync")
        // By identifier: the journal may come too late to see which unit a process that ends at once belonged to.
        let log = try machine.check("journalctl", "--no-pager", "SYSLOG_IDENTIFIER=braid").output
        #expect(log.contains("/etc/braid/braid.toml:2:"))
        #expect(log.contains("FileDescriptorName=imap"))
    }

    @Test func `stop drains: open connections go on, for longer than TimeoutStopSec`() throws {
        let machine = try Braid.machine(loop, service: "TimeoutStopSec=2s")
        try machine.check("systemctl", "start", "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("before") == "before")
        let begin = ContinuousClock.now
        try machine.check("systemctl", "stop", "--no-block", "braid")
        try machine.waitFor("StatusText", of: "braid") { $0.hasPrefix("stopping: ") }
        #expect(try machine.property("ActiveState", of: "braid") == "deactivating")
        // The unit's time is over after two seconds, but the daemon asks for more as long as it drains.
        while ContinuousClock.now - begin < .seconds(4) { #expect(try client.say("while") == "while") }
        #expect(try machine.property("ActiveState", of: "braid") == "deactivating")
        try client.close()
        try machine.waitFor("ActiveState", of: "braid") { $0 == "inactive" }
        #expect(try machine.property("Result", of: "braid") == "success")
        #expect(try machine.journal(id(.drainTimeout)).isEmpty)
        #expect(try machine.journal(id(.daemonStopping)).count == 1)
        #expect(try machine.journal(id(.daemonStopped)).first?["BRAID_CONNECTIONS_RESET"] == "0")
    }

    @Test func `what does not end within drain-timeout is reset, and said`() throws {
        let machine = try Braid.machine(
            """
            [daemon]
            drain-timeout = "1s"
            [[relay]]
            listen = "tcp://127.0.0.1:7001"
            upstream = "echo://"
            """)
        try machine.check("systemctl", "start", "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("before") == "before")
        try machine.check("systemctl", "stop", "braid")
        #expect(try client.say("after") == "(the end)")
        #expect(try machine.property("Result", of: "braid") == "success")
        #expect(try machine.journal(id(.drainTimeout)).count == 1)
        let records = try machine.journal(id(.connectionEnded))
        #expect(records.map { $0["BRAID_RESULT"] } == ["drained"])
    }

    @Test func `reload takes the new configuration, and nothing is harmed`() throws {
        let machine = try Braid.machine(loop)
        try machine.check("systemctl", "start", "braid")
        let process = try machine.property("MainPID", of: "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("before") == "before")
        try machine.script("sed -i s/7001/7009/ /etc/braid/braid.toml")
        try machine.check("systemctl", "reload", "braid")
        #expect(try client.say("after") == "after")
        let other = try MachineClient(machine, port: 7009)
        #expect(try other.say("new") == "new")
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        #expect(try machine.property("MainPID", of: "braid") == process)
        let reloaded = try machine.journal(id(.configurationReloaded))
        #expect(reloaded.count == 1, "\(reloaded)")
        // A wrong file changes nothing, and says why.
        try machine.script("echo nonsense >>/etc/braid/braid.toml")
        try machine.check("systemctl", "reload", "braid")
        #expect(try other.say("still") == "still")
        let failed = try machine.journal(id(.reloadFailed))
        #expect(failed.count == 1, "\(failed)")
        #expect(try machine.journal(id(.configurationInvalid)).first?["BRAID_LINE"] != nil)
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
    }

    @Test func `a restart refuses nobody: clients wait in sockets that systemd keeps`() throws {
        let machine = try Braid.machine(
            """
            [daemon]
            drain-timeout = "1s"
            [[relay]]
            listen = ["mptcp://127.0.0.1:7001", "tcp://*:7003", "unix:///run/braid/in.sock"]
            upstream = "echo://"
            """)
        try machine.check("systemctl", "start", "braid")
        try machine.waitFor("NFileDescriptorStore", of: "braid") { $0 == "3" }
        let inode = try machine.script("stat -c %i /run/braid/in.sock")
        // One connection after the other, each with a line there and back, on both ports.
        try machine.script(
            """
            systemd-run --quiet --unit=clients --service-type=exec bash -c '
                while [ ! -e /run/enough ]; do
                    for port in 7001 7003; do
                        exec 3<>/dev/tcp/127.0.0.1/$port || { echo refused >>/run/failed; continue; }
                        echo hello >&3 && read -r -t 20 back <&3 && [ "$back" = hello ] || echo "lost: $back" >>/run/failed
                        echo $port >>/run/served
                        exec 3>&-
                    done
                done'
            """)
        var process = try machine.property("MainPID", of: "braid")
        for _ in 1...5 {
            try machine.check("systemctl", "restart", "braid")
            let next = try machine.property("MainPID", of: "braid")
            #expect(next != process)
            process = next
            #expect(try machine.property("NFileDescriptorStore", of: "braid") == "3")
        }
        try machine.script(
            "touch /run/enough; while systemctl is-active --quiet clients; do sleep 0.1; done", seconds: 40)
        #expect(try machine.script("cat /run/failed 2>/dev/null || true").isEmpty)
        #expect(try Int(machine.script("wc -l </run/served").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 > 20)
        #expect(try machine.script("stat -c %i /run/braid/in.sock") == inode, "the Unix socket is the same, too")
        // What the configuration has no more leaves the store.
        try machine.script("sed -i 's|\"tcp://.:7003\", ||' /etc/braid/braid.toml")
        try machine.check("systemctl", "reload", "braid")
        try machine.waitFor("NFileDescriptorStore", of: "braid") { $0 == "2" }
        #expect(try machine.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7003").status != 0)
        // A stop keeps nothing.
        try machine.check("systemctl", "stop", "braid")
        #expect(try machine.property("NFileDescriptorStore", of: "braid") == "0")
        #expect(try machine.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7001").status != 0)
    }

    @Test func `a wrong configuration fails the start once, with its lines in the journal`() throws {
        let machine = try Braid.machine("[daemon]\ntreads = 4\n" + loop)
        #expect(try machine.run("systemctl", "start", "braid").status != 0)
        #expect(try machine.property("ExecMainStatus", of: "braid") == "78")
        #expect(try machine.property("ActiveState", of: "braid") == "failed")
        #expect(try machine.property("NRestarts", of: "braid") == "0")
        try machine.check("journalctl", "--sync")
        // By identifier: the journal may come too late to see which unit a process that ends at once belonged to.
        let log = try machine.check("journalctl", "--no-pager", "SYSLOG_IDENTIFIER=braid").output
        #expect(log.contains("/etc/braid/braid.toml:2:1: error:"))
    }

    @Test(arguments: [false, true])
    func `it runs without privilege, or with just the one that managing paths needs`(managesPaths: Bool) throws {
        var files: [String: String] = [:]
        if managesPaths {
            files["/etc/systemd/system/braid.service.d/paths.conf"] = try String(
                contentsOfFile: UnitFileTests.sources + "/braid-paths.conf", encoding: .utf8)
        }
        let machine = try Braid.machine(loop, files: files)
        try machine.check("systemctl", "start", "braid")
        let process = try machine.property("MainPID", of: "braid")
        let status = try machine.check("cat", "/proc/\(process)/status").output
        let capabilities = managesPaths ? "0000000000001000" : "0000000000000000"
        for line in ["CapEff", "CapPrm", "CapBnd", "CapAmb"] { #expect(status.contains("\(line):\t\(capabilities)\n")) }
        #expect(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"))
        #expect(status.firstMatch(of: /Uid:\t(\d+)/).flatMap { Int($0.1) } ?? 0 >= 61184)  // DynamicUser's range

        let security = try machine.check("systemd-analyze", "security", "--no-pager", "braid.service")
        let line = try #require(security.lines.last { $0.contains("Overall exposure level") })
        let exposure = try #require(line.firstMatch(of: /: (\d+\.\d+)/).flatMap { Double($0.1) })
        #expect(exposure <= (managesPaths ? 1.6 : 1.2), "\(security.output)")
    }
}
