import Foundation
import KernelFiles
import Testing

/// The machine itself, shown with services that are nothing but a shell.
@Suite(
    .serialized, .timeLimit(.minutes(3)),
    .enabled(if: SystemdMachine.obstacle == nil, Comment(rawValue: SystemdMachine.obstacle ?? "")))
struct SystemdMachineTests {
    @Test func `it boots, answers, and leaves nothing behind`() throws {
        // Its own traces only: other tests have machines at the same time.
        let traces: [String]
        do {
            let machine = try SystemdMachine(.init(files: ["/etc/braid/test": "here"]))
            #expect(try machine.check("systemctl", "is-system-running").output == "running\n")
            #expect(try machine.check("cat", "/etc/braid/test").output == "here")
            #expect(try machine.run("sh", "-c", "echo out; echo err >&2; exit 3").status == 3)
            #expect(try machine.script("cat /proc/1/comm; ip -br link | wc -l") == "systemd\n1\n")
            traces = machine.traces
            #expect(traces.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        }
        #expect(traces.filter { FileManager.default.fileExists(atPath: $0) }.isEmpty)
        let mounts = try #require(KernelFile.text("/proc/self/mounts"))
        #expect(!mounts.contains("braid-machine"))
    }

    @Test func `start waits for READY, and status shows the STATUS line`() throws {
        let machine = try SystemdMachine(
            .init(files: [
                "/etc/systemd/system/stand-in.service": """
                [Service]
                Type=notify
                NotifyAccess=all
                ExecStart=/bin/bash -c 'read < /run/go; systemd-notify --ready --status="up and about"; exec sleep 1000'
                """
            ]))
        try machine.check("mkfifo", "/run/go")
        try machine.check("systemctl", "start", "--no-block", "stand-in")
        try machine.waitFor("ActiveState", of: "stand-in") { $0 == "activating" }
        #expect(try machine.property("StatusText", of: "stand-in") == "")
        try machine.script("echo > /run/go")
        try machine.check("systemctl", "start", "stand-in")
        #expect(try machine.property("ActiveState", of: "stand-in") == "active")
        #expect(try machine.check("systemctl", "status", "stand-in").output.contains("Status: \"up and about\""))
    }

    @Test func `the journal keeps a record's fields`() throws {
        let machine = try SystemdMachine()
        try machine.script("printf 'MESSAGE=hello\\nBRAID_RELAY=imap\\nPRIORITY=5\\n' | logger --journald")
        let records = try machine.journal("BRAID_RELAY=imap")
        #expect(records.map(\.message) == ["hello"])
        #expect(records.first?["PRIORITY"] == "5")
    }
}
