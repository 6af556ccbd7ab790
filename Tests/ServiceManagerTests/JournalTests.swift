import Foundation
import LinuxSystem
import Logging
import SystemPackage
import Testing

@testable import ServiceManager

@Suite struct JournalLogHandlerTests {
    private func fields(level: Logger.Level, _ use: (Logger) -> Void) throws -> [(String, String)] {
        let journal = try DatagramReceiver()
        let output = JournalOutput(path: journal.path)
        use(Logger(label: "test") { _ in JournalLogHandler(output: output, level: level) })
        #expect(output.undelivered == 0)
        return try NativeRecord.parse(journal.receive().bytes)
    }

    @Test func `metadata becomes prefixed upper-case fields`() throws {
        let record = try fields(level: .info) {
            $0.event(.connectionEnded, "connection ended", metadata: connectionFields)
        }
        let expected = [
            ("MESSAGE", "connection ended"), ("PRIORITY", "6"), ("SYSLOG_IDENTIFIER", "braid"),
            ("MESSAGE_ID", EventKind.connectionEnded.messageID), ("BRAID_BYTES_UP", "1048576"),
            ("BRAID_DESTINATION", "evil\n\u{1B}[2J\" x=y"), ("BRAID_DIGITS", "0042"), ("BRAID_DRAINED", "yes"),
            ("BRAID_EVENT", "connection-ended"), ("BRAID_MULTIPATH", "yes"), ("BRAID_PEER_HOST", "gw"),
            ("BRAID_PEER_PORT", "7143"), ("BRAID_RATIO", "0.25"), ("BRAID_RELAY", "imap"),
            ("BRAID_SUBFLOWS", "192.0.2.1"), ("BRAID_SUBFLOWS", "198.51.100.1"),
        ]
        #expect(record.map { "\($0)=\($1)" } == expected.map { "\($0)=\($1)" })
    }

    @Test func `at debug level a record says where it was made`() throws {
        let record = try fields(level: .debug) { $0.warning("here") }
        #expect(record.contains { $0 == ("CODE_FILE", "ServiceManagerTests/JournalTests.swift") })
        #expect(record.contains { $0.0 == "CODE_LINE" && Int($0.1) != nil })
        #expect(record.contains { $0.0 == "CODE_FUNC" })
        #expect(record.contains { $0 == ("PRIORITY", "4") })
    }

    @Test func `levels become syslog priorities`() {
        #expect(Logger.Level.allCases.map(\.syslogPriority) == [7, 7, 6, 5, 4, 3, 2])
    }
}

@Suite struct JournalOutputTests {
    private static let small = [JournalField("MESSAGE", "x")]

    @Test func `an absent journal is counted, and used once it is there`() throws {
        let path = "/tmp/braid-absent-\(getpid())"
        let output = JournalOutput(path: path)
        output.send(Self.small)
        output.send(Self.small)
        #expect(output.undelivered == 2)

        let journal = try DatagramReceiver()
        let link = "/tmp/braid-absent-\(getpid())"
        defer { unlink(link) }
        try #require(symlink(journal.path, link) == 0)
        output.send(Self.small)
        #expect(output.undelivered == 2)
        #expect(try journal.receive().text == "MESSAGE=x\n")
    }

    @Test func `a journal whose socket was replaced is found again without loss`() throws {
        let link = "/tmp/braid-replaced-\(getpid())"
        defer { unlink(link) }
        let output = JournalOutput(path: link)
        do {
            let first = try DatagramReceiver()
            try #require(symlink(first.path, link) == 0)
            output.send(Self.small)
            #expect(try first.receive().text == "MESSAGE=x\n")
        }
        unlink(link)
        let second = try DatagramReceiver()
        try #require(symlink(second.path, link) == 0)
        output.send(Self.small)
        #expect(try second.receive().text == "MESSAGE=x\n")
        #expect(output.undelivered == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a journal that does not read costs records, not time`() throws {
        let journal = try DatagramReceiver()
        let output = JournalOutput(path: journal.path)
        for _ in 0..<100_000 where output.undelivered < 10 { output.send(Self.small) }
        #expect(output.undelivered == 10)
        // What was accepted is still there, and the next record goes through once there is room.
        #expect(try journal.receive().text == "MESSAGE=x\n")
        output.send([JournalField("MESSAGE", "again")])
        #expect(output.undelivered == 10)
    }

    @Test func `a record too large for a datagram arrives with its fields cut short`() throws {
        let journal = try DatagramReceiver()
        let output = JournalOutput(path: journal.path)
        output.send([JournalField("MESSAGE", "short"), JournalField("BRAID_X", String(repeating: "é", count: 8 << 20))])
        #expect(output.undelivered == 0)
        let record = try NativeRecord.parse(journal.receive().bytes)
        #expect(record.map(\.0) == ["MESSAGE", "BRAID_X", "BRAID_TRUNCATED"])
        #expect(record[0].1 == "short")
        #expect(record[1].1.hasSuffix("é…"))
        #expect(record[1].1.utf8.count == JournalOutput.shortened + 3)
    }
}

/// Reads the journal's native protocol, to see what was sent.
enum NativeRecord {
    struct Malformed: Error {}

    static func parse(_ bytes: [UInt8]) throws -> [(String, String)] {
        var fields: [(String, String)] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw Malformed() }
            let line = rest[rest.startIndex..<end]
            rest = rest[(end + 1)...]
            if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                fields.append((text(line[..<equals]), text(line[(equals + 1)...])))
                continue
            }
            guard rest.count >= 8 else { throw Malformed() }
            let length = Int(rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            rest = rest.dropFirst(8)
            guard rest.count > length, rest[rest.startIndex + length] == UInt8(ascii: "\n") else { throw Malformed() }
            fields.append((text(line), text(rest.prefix(length))))
            rest = rest.dropFirst(length + 1)
        }
        return fields
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
