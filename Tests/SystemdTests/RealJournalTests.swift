import Foundation
import KernelFiles
import LinuxSystem
import Logging
import ServiceManager
import SystemPackage
import Testing

/// systemd-journald by itself, in a mount namespace of its own with an empty `/run`; ends with this object.
final class RealJournal {
    static let program = "/lib/systemd/systemd-journald"

    /// Why there can be none here, or nil when there can.
    static let obstacle: String? = {
        let map = KernelFile.text("/proc/self/uid_map") ?? ""
        if geteuid() != 0 || !map.contains("4294967295") { return "a journald of its own needs root of the host" }
        return FileManager.default.isExecutableFile(atPath: program) ? nil : "systemd-journald is not installed"
    }()

    private let process: ChildProcess
    private let directory: String
    /// `/run` as journald sees it, reachable from here.
    private var run: String { "/proc/\(process.id)/root/run" }
    var socket: String { run + "/systemd/journal/socket" }

    init() throws {
        directory = NSTemporaryDirectory() + "braid-journal-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let ready = try NotifySocket(path: directory + "/notify")
        let null = try FileHandle(forWritingTo: URL(fileURLWithPath: "/dev/null"))
        process = try ChildProcess(
            [
                "/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c",
                "mount -t tmpfs braid-journal /run && mkdir -p /run/systemd/journal || exit 1\n"
                    + "exec 3<&0\n(read -r _ <&3; kill -KILL $$; rm -rf '\(directory)') &\nexec \(Self.program) < /dev/null 3<&-",
            ],
            environment: Command.environment.merging(["NOTIFY_SOCKET": ready.path]) { $1 },
            output: null.fileDescriptor, errors: null.fileDescriptor, lifeline: true)
        let deadline = ContinuousClock.now + .seconds(20)
        while ready.next(milliseconds: 200)?["READY"] != "1" {
            guard process.isRunning, ContinuousClock.now < deadline else { throw NotReady() }
        }
    }

    struct NotReady: Error {}

    deinit {
        process.signal(SIGKILL)
        _ = process.wait()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func signal(_ signal: Int32) { process.signal(signal) }

    /// The records with `BRAID_RELAY=name`, in their order, once there are `count` of them.
    func records(relay name: String, count: Int) throws -> [JournalRecord] {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let output = try Command.run(
                ["journalctl", "-D", run + "/log/journal", "-o", "json", "--all", "BRAID_RELAY=" + name])
            let records = try output.lines.map(JournalRecord.init(line:))
            if records.count >= count || ContinuousClock.now > deadline { return records }
        }
    }
}

@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: RealJournal.obstacle == nil, Comment(rawValue: RealJournal.obstacle ?? "")))
struct RealJournalTests {
    @Test func `journald takes every field, and refuses none`() throws {
        let journal = try RealJournal()
        let output = JournalOutput(path: journal.socket)
        var logger = Logger(label: "test") { _ in JournalLogHandler(output: output, level: .debug) }
        logger[metadataKey: "relay"] = "fields"
        logger.event(
            .connectionEnded, "connection ended\nin two lines",
            metadata: [
                "bytes-up": .stringConvertible(1_048_576), "client": "evil\u{1B}[2J", "empty": "",
                "subflows": .array(["192.0.2.1", "198.51.100.1"]), String(repeating: "n", count: 200): "long name",
            ])
        let records = try journal.records(relay: "fields", count: 1)
        try #require(records.count == 1)
        let record = records[0]
        #expect(record["MESSAGE"] == "connection ended\nin two lines")
        #expect(record["MESSAGE_ID"] == EventKind.connectionEnded.messageID)
        #expect(record["PRIORITY"] == "6")
        #expect(record["SYSLOG_IDENTIFIER"] == "braid")
        #expect(record["BRAID_BYTES_UP"] == "1048576")
        #expect(record["BRAID_EMPTY"] == "")
        #expect(record.all("BRAID_SUBFLOWS") == ["192.0.2.1", "198.51.100.1"])
        #expect(record["BRAID_" + String(repeating: "N", count: 58)] == "long name")
        #expect(record["CODE_FILE"] == "SystemdTests/RealJournalTests.swift")
        #expect(record["BRAID_CLIENT"] == "evil\u{1B}[2J")
        #expect(output.undelivered == 0)
    }

    @Test func `a journald that hangs costs records, not time, and all that was accepted arrives`() throws {
        let journal = try RealJournal()
        let output = JournalOutput(path: journal.socket)
        journal.signal(SIGSTOP)
        var sent = 0
        while output.undelivered == 0, sent < 100_000 {
            output.send([JournalField("MESSAGE", "\(sent)"), JournalField("BRAID_RELAY", "hang")])
            sent += 1
        }
        #expect(output.undelivered == 1)
        journal.signal(SIGCONT)
        let records = try journal.records(relay: "hang", count: sent - 1)
        #expect(records.map(\.message) == (0..<(sent - 1)).map(String.init))
    }
}
