import Foundation
import ServiceManager
import Testing

/// Keys that systemd hands to the service, and sockets that speak MPTCP.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct ServiceCredentialTests {
    /// A near end that proves the key to a far end, in one process.
    private static let ends = """
        [[relay]]
        name = "near"
        listen = "http://127.0.0.1:3128"
        upstream = "convert://127.0.0.1:7143"
        key-file = "${CREDENTIALS_DIRECTORY}/key"
        destinations = { allow = ["127.0.0.1"] }
        [[relay]]
        name = "far"
        listen = "convert://127.0.0.1:7143"
        upstream = "direct+tcp://"
        key-file = "${CREDENTIALS_DIRECTORY}/key"
        destinations = { allow = ["127.0.0.1"] }
        [[relay]]
        name = "server"
        listen = "tcp://127.0.0.1:9001"
        upstream = "echo://"
        """

    @Test(arguments: SystemdSystem.all)
    func `a key that only root can read is handed over by LoadCredential`(system: SystemdSystem) throws {
        // The very line that the unit shows.
        let unit = try String(contentsOfFile: UnitFileTests.sources + "/braid.service", encoding: .utf8)
        let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("#LoadCredential=") })
        let machine = try Braid.machine(Self.ends, on: system, service: String(line.dropFirst()))
        try machine.script("braid keygen /etc/braid/key")
        #expect(try machine.script("stat -c '%U %a' /etc/braid/key") == "root 600\n")
        try machine.check("systemctl", "start", "braid")
        func ask() throws -> String {
            try machine.script(
                """
                exec 3<>/dev/tcp/127.0.0.1/3128
                printf 'CONNECT 127.0.0.1:9001 HTTP/1.0\\r\\n\\r\\n' >&3
                read -t 20 -r status <&3; read -t 20 -r empty <&3
                echo hello >&3; read -t 20 -r back <&3; echo "$status" "$back"
                """)
        }
        #expect(try ask() == "HTTP/1.1 200 Connection established\r hello\n")
        // A reload reads it again, a successor has it as well, and a restart takes a new one.
        try machine.check("systemctl", "reload", "braid")
        let reloaded = try machine.waitForJournal("MESSAGE_ID=" + EventKind.configurationReloaded.messageID)
        #expect(reloaded.count == 1)
        #expect(try ask().hasSuffix("hello\n"))
        try machine.check("/usr/lib/braid/hand-over")
        #expect(try ask().hasSuffix("hello\n"))
        try machine.script("rm /etc/braid/key; braid keygen /etc/braid/key; systemctl restart braid")
        #expect(try ask().hasSuffix("hello\n"))
        #expect(try machine.script("journalctl --no-pager | grep -cF \"$(head -n 1 /etc/braid/key)\" || true") == "0\n")
    }

    @Test(arguments: SystemdSystem.all)
    func `a socket unit's MPTCP socket is MPTCP where systemd can make one, and plain TCP otherwise`(
        system: SystemdSystem
    ) throws {
        let machine = try Braid.machine(
            """
            [[relay]]
            name = "near"
            listen = "tcp://127.0.0.1:7001"
            upstream = "mptcp://127.0.0.1:7143"
            [[relay]]
            name = "far"
            listen = "fd://far"
            upstream = "echo://"
            """, on: system, service: "Sockets=braid.socket",
            files: [
                "/etc/systemd/system/braid.socket": """
                [Socket]
                FileDescriptorName=far
                ListenStream=127.0.0.1:7143
                SocketProtocol=mptcp
                Backlog=4096
                """
            ])
        try machine.check("systemctl", "start", "braid.socket", "braid.service")
        let version = try machine.check("systemctl", "--version").output.firstMatch(of: /systemd (\d+)/)
        let number = try #require(version.flatMap { Int($0.1) })
        for _ in 0..<2 {
            let client = try MachineClient(machine, port: 7001)
            #expect(try client.say("hello") == "hello")
            try client.close()
            // The same socket in the new process, by the name of the unit.
            try machine.check("/usr/lib/braid/hand-over")
        }
        let records = try machine.waitForJournal(
            "MESSAGE_ID=" + EventKind.connectionEnded.messageID, "BRAID_RELAY=near", count: 2)
        // Neither is an error: what was inherited is asked what it is.
        let expected = number >= 257 ? "yes" : "fallback"
        #expect(records.map { $0["BRAID_MULTIPATH"] } == [expected, expected], "systemd \(number)")
    }
}
