import FoundationEssentials

/// One record of the daemon's JSON log.
struct LogRecord: Sendable, CustomStringConvertible {
    /// One field's value; numbers and booleans as they were written.
    enum Value: Sendable, Equatable, Decodable {
        case text(String)
        case number(Double)
        case boolean(Bool)
        case list([Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .boolean(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode([Value].self) {
                self = .list(value)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    /// The line as it was written.
    let description: String
    /// Its fields by name, `bytes_up` and the like.
    let fields: [String: Value]

    /// `nil` when the line is no JSON object.
    init?(_ line: String) {
        guard line.hasPrefix("{"),
            let fields = try? JSONDecoder().decode([String: Value].self, from: Data(line.utf8))
        else { return nil }
        self.fields = fields
        description = line
    }

    /// A field that is text; `nil` when it is missing or something else.
    subscript(name: String) -> String? {
        guard case .text(let text) = fields[name] else { return nil }
        return text
    }

    /// A field that is a number; `nil` when it is missing or something else.
    func number(_ name: String) -> Int? {
        guard case .number(let number) = fields[name] else { return nil }
        return Int(exactly: number)
    }

    /// The kind of event, as `connection-ended`; empty for a record without one.
    var event: String { self["event"] ?? "" }
    /// The sentence for people.
    var message: String { self["message"] ?? "" }
    /// How the connection ended, in a `connection-ended` record.
    var result: String { self["result"] ?? "" }
}
