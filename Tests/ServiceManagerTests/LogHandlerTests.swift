import Foundation
import LinuxSystem
import Logging
import Testing

@testable import ServiceManager

/// What a connection's record looks like: numbers as numbers, and a name chosen by a hostile client.
let connectionFields: Logger.Metadata = [
    "relay": "imap",
    "bytes-up": .stringConvertible(UInt64(1_048_576)),
    "ratio": .stringConvertible(0.25),
    "multipath": "yes",
    "drained": .stringConvertible(true),
    "destination": "evil\n\u{1B}[2J\" x=y",
    "digits": "0042",
    "subflows": .array([.string("192.0.2.1"), .string("198.51.100.1")]),
    "peer": .dictionary(["port": .stringConvertible(7143), "host": "gw"]),
]

@Suite struct TextLogHandlerTests {
    @Test func `a record is one line: time, level, message, fields in order of their names`() throws {
        let reader = try LineReader()
        let logger = Logger(label: "test") { _ in TextLogHandler(output: LineOutput(descriptor: reader.writeEnd.raw)) }
        logger.event(.connectionEnded, "connection\nended", metadata: connectionFields)
        let lines = reader.lines()
        try #require(lines.count == 1)
        let line = lines[0]
        #expect(line.prefix(24).wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
        #expect(
            line.dropFirst(24) == #" info connection\nended bytes_up=1048576 destination="evil\n\u{1b}[2J\" x=y" "#
                + #"digits=0042 drained=yes event=connection-ended multipath=yes peer_host=gw peer_port=7143 "#
                + #"ratio=0.25 relay=imap subflows=192.0.2.1,198.51.100.1"#)
    }

    @Test func `a record below the level is not written`() throws {
        let reader = try LineReader()
        let logger = Logger(label: "test") { _ in
            TextLogHandler(output: LineOutput(descriptor: reader.writeEnd.raw), level: .warning)
        }
        logger.info("quiet")
        logger.warning("loud")
        #expect(reader.lines().count == 1)
    }
}

@Suite struct JSONLogHandlerTests {
    @Test func `a record is one JSON object with numbers as numbers`() throws {
        let reader = try LineReader()
        let logger = Logger(label: "test") { _ in JSONLogHandler(output: LineOutput(descriptor: reader.writeEnd.raw)) }
        logger.event(.connectionEnded, "connection \"ended\"\n", metadata: connectionFields)
        let lines = reader.lines()
        try #require(lines.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any])
        #expect(object["level"] as? String == "info")
        #expect(object["message"] as? String == "connection \"ended\"\n")
        #expect(object["event"] as? String == "connection-ended")
        #expect(object["message_id"] as? String == EventKind.connectionEnded.messageID)
        #expect(object["bytes_up"] as? Int == 1_048_576)
        #expect(object["digits"] as? String == "0042")
        #expect(object["ratio"] as? Double == 0.25)
        #expect(object["drained"] as? Bool == true)
        #expect(object["destination"] as? String == "evil\n\u{1B}[2J\" x=y")
        #expect(object["subflows"] as? [String] == ["192.0.2.1", "198.51.100.1"])
        #expect(object["peer_port"] as? Int == 7143)
        #expect(object["time"] as? String != nil)
        // On the wire there is nothing that a terminal would act on.
        #expect(lines[0].unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }

    @Test func `a field cannot hide time, level, message or another field`() throws {
        let reader = try LineReader()
        let logger = Logger(label: "test") { _ in JSONLogHandler(output: LineOutput(descriptor: reader.writeEnd.raw)) }
        logger.info("true", metadata: ["message": "forged", "level": "critical", "a-b": "1", "a.b": "2"])
        let line = try #require(reader.lines().first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["message"] as? String == "true")
        #expect(object["level"] as? String == "info")
        #expect(object["field_message"] as? String == "forged")
        #expect(object["a_b"] as? String == "1")
        #expect(object["field_a_b"] as? String == "2")
    }

    @Test func `numbers that JSON has no way to write are strings`() throws {
        let reader = try LineReader()
        let logger = Logger(label: "test") { _ in JSONLogHandler(output: LineOutput(descriptor: reader.writeEnd.raw)) }
        logger.info("x", metadata: ["a": .stringConvertible(Double.nan), "b": .stringConvertible(-Double.infinity)])
        let line = try #require(reader.lines().first)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["a"] as? String == "nan")
        #expect(object["b"] as? String == "-inf")
    }

    @Test func `every scalar below U+3000 survives the way through a JSON reader`() throws {
        for value in UInt32(0)..<0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            var text = ""
            JSONText.append("a\(scalar)b", to: &text)
            let read = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? String
            #expect(read?.unicodeScalars.elementsEqual("a\(scalar)b".unicodeScalars) == true, "U+\(value)")
        }
    }
}

@Suite struct LogFormatTests {
    @Test func `names are those of the configuration`() {
        #expect(LogFormat.allCases.map(\.rawValue) == ["auto", "text", "json", "journal"])
        #expect(LogFormat.json.resolved == .json)
    }

    @Test func `only the very stream of JOURNAL_STREAM is the journal`() throws {
        let reader = try LineReader()
        var status = stat()
        try #require(fstat(reader.writeEnd.raw, &status) == 0)
        let stream = "\(status.st_dev):\(status.st_ino)"
        #expect(LogFormat.isJournal(stream: stream, descriptor: reader.writeEnd.raw))
        #expect(!LogFormat.isJournal(stream: stream + "1", descriptor: reader.writeEnd.raw))
        #expect(!LogFormat.isJournal(stream: stream, descriptor: 100_000))
        for malformed in [nil, "", ":", "1", "1:", ":1", "1:2:3", "a:b", "-1:2", "\(stream):", " \(stream)"] {
            #expect(!LogFormat.isJournal(stream: malformed, descriptor: reader.writeEnd.raw), "\(malformed ?? "nil")")
        }
    }
}
