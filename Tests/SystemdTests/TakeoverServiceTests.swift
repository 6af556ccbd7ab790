import Foundation
import ServiceManager
import Testing

/// The running process hands over to the program that is installed now, as a process of the same service.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct TakeoverServiceTests {
    private static let relay = """
        [daemon]
        drain-timeout = "2s"
        [[relay]]
        name = "echo"
        listen = ["tcp://127.0.0.1:7001", "mptcp://127.0.0.1:7002", "unix:///run/braid/in.sock"]
        upstream = "echo://"
        """

    /// The processes of the service.
    private func processes(_ machine: SystemdMachine) throws -> Set<String> {
        let group = try machine.property("ControlGroup", of: "braid")
        return Set(
            try machine.script("cat /sys/fs/cgroup\(group)/cgroup.procs").split(separator: "\n").map(String.init))
    }

    /// Waits until the service has these processes only.
    private func waitFor(_ machine: SystemdMachine, _ wanted: Set<String>) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try processes(machine) != wanted {
            guard ContinuousClock.now < deadline else { break }
            usleep(50_000)
        }
        #expect(try processes(machine) == wanted)
    }

    private func handOver(_ machine: SystemdMachine) throws -> String {
        try machine.check("/usr/lib/braid/hand-over", seconds: 30)
        return try machine.property("MainPID", of: "braid")
    }

    @Test(arguments: SystemdSystem.all)
    func `connections go on in the old process, and systemd follows the new one`(system: SystemdSystem) throws {
        let machine = try Braid.machine(Self.relay, on: system, service: "WatchdogSec=2s")
        try machine.check("systemctl", "start", "braid")
        let first = try machine.property("MainPID", of: "braid")
        let old = try MachineClient(machine, port: 7001)
        #expect(try old.say("before") == "before")
        // The new process reads the file anew: a relay less, and one more.
        try machine.script("sed -i 's/\"mptcp[^,]*,/\"tcp:\\/\\/127.0.0.1:7003\",/' /etc/braid/braid.toml")

        let second = try handOver(machine)
        #expect(second != first)
        #expect(try machine.property("ActiveState", of: "braid") == "active")
        #expect(try processes(machine) == [first, second])
        #expect(try old.say("after") == "after")
        for port in [7001, 7003] {
            let client = try MachineClient(machine, port: port)
            #expect(try client.say("new") == "new")
            try client.close()
        }
        // Where it listens no more, nobody waits in vain: the old process keeps the socket for subflows only.
        let refused = try machine.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7002; read -r -t 20 <&3")
        #expect(refused.status == 1, "\(refused)")
        try machine.waitFor("StatusText", of: "braid") { $0 == "1 relay, 0 connections" }
        try machine.waitFor("NFileDescriptorStore", of: "braid") { $0 == "3" }
        #expect(try machine.script("braid status --json").contains("\"pid\":\(second)"))
        // What systemd does to the service, it does to the new process.
        try machine.check("systemctl", "reload", "braid")
        let reloaded = try machine.waitForJournal("MESSAGE_ID=" + EventKind.configurationReloaded.messageID)
        #expect(reloaded.map { $0["_PID"] } == [second])
        // The watchdog is fed by the new one; the old one is nobody's concern.
        var last = try machine.property("WatchdogTimestampMonotonic", of: "braid")
        for _ in 0..<4 { last = try machine.waitFor("WatchdogTimestampMonotonic", of: "braid") { $0 != last } }
        #expect(try machine.property("MainPID", of: "braid") == second)
        #expect(try machine.property("NRestarts", of: "braid") == "0")

        let third = try handOver(machine)
        // The second had no connection, and has ended.
        try waitFor(machine, [first, third])
        #expect(try old.say("still") == "still")
        try old.close()
        try waitFor(machine, [third])
        #expect(try machine.property("ActiveState", of: "braid") == "active")
        // And a restart works as ever: sockets come from the store.
        try machine.check("systemctl", "restart", "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("again") == "again")
        #expect(try machine.property("NRestarts", of: "braid") == "0")
    }

    @Test(arguments: SystemdSystem.all)
    func `a stop gives the old process drain-timeout, too`(system: SystemdSystem) throws {
        let machine = try Braid.machine(Self.relay, on: system)
        try machine.check("systemctl", "start", "braid")
        let clients = try (0..<2).map { _ in try MachineClient(machine, port: 7001) }
        for client in clients { #expect(try client.say("before") == "before") }
        _ = try handOver(machine)
        // From two processes ago: its successor has ended.
        _ = try handOver(machine)
        let begin = ContinuousClock.now
        try machine.check("systemctl", "stop", "--no-block", "braid")
        #expect(try clients[0].say("during") == "during")
        try machine.waitFor("ActiveState", of: "braid") { $0 == "inactive" }
        #expect(ContinuousClock.now - begin > .seconds(1.9))
        #expect(try machine.property("Result", of: "braid") == "success")
        #expect(try clients[1].say("after") == "(the end)")
        let ended = try machine.journal("MESSAGE_ID=" + EventKind.drainTimeout.messageID)
        #expect(ended.map { $0["BRAID_CONNECTIONS"] } == ["2"])
    }

    @Test(arguments: SystemdSystem.all)
    func `when the new process dies, what is left of the old one does not hold up its restart`(
        system: SystemdSystem
    ) throws {
        let machine = try Braid.machine(
            Self.relay.replacing("2s", with: "25s"), on: system, service: "RestartSec=100ms")
        try machine.check("systemctl", "start", "braid")
        let old = try MachineClient(machine, port: 7001)
        #expect(try old.say("before") == "before")
        let second = try handOver(machine)
        let begin = ContinuousClock.now
        try machine.check("kill", "-KILL", second)
        try machine.waitFor("NRestarts", of: "braid") { $0 == "1" }
        try machine.waitFor("ActiveState", of: "braid") { $0 == "active" }
        #expect(ContinuousClock.now - begin < .seconds(20))
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("again") == "again")
    }

    @Test(arguments: SystemdSystem.all)
    func `a successor that cannot start changes nothing`(system: SystemdSystem) throws {
        let machine = try Braid.machine(Self.relay, on: system)
        try machine.check("systemctl", "start", "braid")
        let process = try machine.property("MainPID", of: "braid")
        let client = try MachineClient(machine, port: 7001)
        #expect(try client.say("before") == "before")
        // A wrong file, an address that it cannot have, a key that is not there.
        for (number, line) in [
            "nonsense", "[[relay]]\nlisten = \"tcp://192.0.2.1:1\"\nupstream = \"echo://\"",
            "[[relay]]\nlisten = \"convert://127.0.0.1:7009\"\nupstream = \"direct+tcp://\"\nkey-file = \"/etc/none\"",
        ].enumerated() {
            try machine.script("cp /etc/braid/braid.toml /run/good; cat >>/etc/braid/braid.toml <<'END'\n\(line)\nEND")
            let said = try machine.run("/usr/lib/braid/hand-over", seconds: 40)
            #expect(said.status == 1 && said.errors.contains("braid.service has not handed over"), "\(number): \(said)")
            #expect(try client.say("after") == "after")
            // Whatever else the line says of connections meanwhile.
            let other = try MachineClient(machine, port: 7001)
            #expect(try other.say("others come") == "others come")
            try machine.waitFor("StatusText", of: "braid") { $0.hasSuffix(", failed hand-overs: \(number + 1)") }
            #expect(try machine.property("MainPID", of: "braid") == process)
            #expect(try machine.script("braid status --json").contains("\"pid\":\(process)"))
            try machine.script("cp /run/good /etc/braid/braid.toml")
        }
        try waitFor(machine, [process])
        #expect(try handOver(machine) != process)
        #expect(try client.say("still") == "still")
        // Nobody from elsewhere may take the service's sockets.
        #expect(try machine.run("test", "-e", "/run/braid/admin.sock.takeover").status == 1)
    }

    @Test(arguments: SystemdSystem.all)
    func `a successor that does not take the sockets changes nothing`(system: SystemdSystem) throws {
        // More of them than wait in the channel between the two.
        let listeners = (20_000..<20_400).map { "\"tcp://127.0.0.1:\($0)\"" }.joined(separator: ", ")
        let config = "[[relay]]\nname = \"echo\"\nlisten = [\(listeners)]\nupstream = \"echo://\"\n"
        let machine = try Braid.machine(config, on: system)
        try machine.check("systemctl", "start", "braid")
        let process = try machine.property("MainPID", of: "braid")
        try machine.script(
            """
            printf '#!/bin/sh\\nsleep 1\\n' >/run/idle && chmod 755 /run/idle
            mount --bind /run/idle "$(readlink /proc/\(process)/exe)"
            """)
        let said = try machine.run("/usr/lib/braid/hand-over", seconds: 40)
        #expect(said.status == 1 && said.errors.contains("braid.service has not handed over"), "\(said)")
        try machine.waitFor("StatusText", of: "braid") { $0.hasSuffix(", failed hand-overs: 1") }
        let journal = try machine.run("journalctl", "-u", "braid", "-o", "cat")
        #expect(journal.output.contains("the listening sockets cannot be handed out"))
        #expect(try machine.property("MainPID", of: "braid") == process)
        let client = try MachineClient(machine, port: 20_399)
        #expect(try client.say("still") == "still")
        try machine.script("umount \"$(readlink /proc/\(process)/exe)\"")
        #expect(try handOver(machine) != process)
    }
}
