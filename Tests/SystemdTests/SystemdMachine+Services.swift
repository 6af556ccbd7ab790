import Foundation

extension SystemdMachine {
    /// A property of a unit, as `systemctl show` prints it.
    func property(_ name: String, of unit: String) throws -> String {
        try check("systemctl", "show", "--property=\(name)", "--value", unit).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until a unit's property satisfies `condition`, and answers it.
    @discardableResult
    func waitFor(
        _ name: String, of unit: String, seconds: Int = 30, until condition: (String) -> Bool
    ) throws -> String {
        struct TimedOut: Error, CustomStringConvertible { let description: String }
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let value = try property(name, of: unit)
            if condition(value) { return value }
            if ContinuousClock.now > deadline {
                let status = try run("systemctl", "status", "--no-pager", "--full", unit).output
                throw TimedOut(description: "\(unit): \(name) is still \"\(value)\" after \(seconds) s\n\(status)")
            }
            usleep(20_000)
        }
    }

    /// Waits until the journal has `count` records that match, and answers them: the status line runs ahead of the log.
    func journal(_ match: String, count: Int, seconds: Int = 10) throws -> [JournalRecord] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let records = try journal(match)
            if records.count >= count || ContinuousClock.now > deadline { return records }
            usleep(50_000)
        }
    }

    /// The journal's records that match (`_SYSTEMD_UNIT=…`, `MESSAGE_ID=…`), after everything sent has been written.
    func journal(_ matches: String...) throws -> [JournalRecord] {
        try check("journalctl", "--sync")
        let arguments = ["journalctl", "--output=json", "--all", "--no-pager"] + matches
        return try Command.check(["nsenter", "--target", "\(leader)", "--all", "--"] + arguments).lines.map(
            JournalRecord.init(line:))
    }
}

/// One record of a journal.
struct JournalRecord: CustomStringConvertible {
    private let fields: [String: Any]

    /// Reads one line of `journalctl --output=json`.
    init(line: Substring) throws {
        fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
    }

    /// A field's value; `journalctl` prints values that are not plain text as lists of bytes.
    subscript(name: String) -> String? {
        if let bytes = fields[name] as? [UInt8] { return String(decoding: bytes, as: UTF8.self) }
        return fields[name] as? String
    }

    /// Every value of a field that may come several times.
    func all(_ name: String) -> [String] { fields[name] as? [String] ?? self[name].map { [$0] } ?? [] }

    var message: String { self["MESSAGE"] ?? "" }

    var description: String {
        fields.filter { !$0.key.hasPrefix("_") }.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            .joined(separator: " ")
    }
}
