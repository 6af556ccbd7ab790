import Foundation
import ServiceManager
import Testing

/// Who else changes endpoints, seen from inside the unit as shipped, which hides other processes.
@Suite(
    .serialized, .timeLimit(.minutes(5)),
    .enabled(if: Braid.obstacle == nil, Comment(rawValue: Braid.obstacle ?? "")))
struct OtherManagerTests {
    @Test func `mptcpd beside a Braid that manages endpoints is warned of`() throws {
        let machine = try Braid.machine(
            """
            [paths]
            manage = true
            [[relay]]
            listen = "tcp://127.0.0.1:7001"
            upstream = "echo://"
            """,
            files: [
                "/etc/systemd/system/mptcp.service": "[Service]\nExecStart=/bin/sleep infinity\n",
                "/etc/systemd/system/braid.service.d/paths.conf": try String(
                    contentsOfFile: UnitFileTests.sources + "/braid-paths.conf", encoding: .utf8),
            ])
        try machine.check("systemctl", "start", "mptcp.service")
        try machine.check("systemctl", "start", "braid")
        let kind = "MESSAGE_ID=" + EventKind.otherPathManager.messageID
        let record = try #require(try machine.journal(kind).first { $0["BRAID_PROCESS"] == "mptcpd" })
        let id = try machine.property("MainPID", of: "mptcp.service")
        #expect(record.message.contains("mptcpd runs here"), "\(record)")
        #expect(record["BRAID_REASON"] == "mptcpd runs (process \(id))", "\(record)")
    }
}
