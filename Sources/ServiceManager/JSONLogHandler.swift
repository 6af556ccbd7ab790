public import Logging

/// Writes each record as one JSON object a line: `time`, `level`, `message`, then the fields, keys in lower case with `_`.
///
/// A metadata value given as `.stringConvertible` of an integer, a finite floating-point number or a `Bool` becomes a
/// JSON number or boolean; `.array` becomes an array; everything else is a string, digits or not.
/// A field that would hide `time`, `level` or `message` gets the prefix `field_`.
public struct JSONLogHandler: LogHandler {
    /// Fields that go with every record.
    public var metadata: Logger.Metadata = [:]
    /// Where further fields come from at each record.
    public var metadataProvider: Logger.MetadataProvider?
    /// The least severe level that is written.
    public var logLevel: Logger.Level
    private let output: LineOutput

    /// Writes records of `level` and above to `output`.
    public init(output: LineOutput, level: Logger.Level = .info) {
        self.output = output
        logLevel = level
    }

    /// One of the fields that go with every record.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record; it never fails, but may be counted as undelivered.
    public func log(event: LogEvent) {
        let fields = LogFields(metadata, metadataProvider, event)
        var line = "{\"time\":\"\(Timestamp.now)\",\"level\":\"\(event.level)\",\"message\":"
        JSONText.append(event.message.description, to: &line)
        var used: Set<String> = ["time", "level", "message"]
        for (name, value) in fields.fields {
            var key = LogFieldName.plain(name)
            while !used.insert(key).inserted { key = "field_" + key }
            line += ",\"" + key + "\":"
            JSONText.append(value, to: &line)
        }
        output.write(line + "}")
    }
}

/// Writes JSON values (RFC 8259).
enum JSONText {
    static func append(_ value: LogFieldValue, to line: inout String) {
        switch value {
        case .text(let text): append(text, to: &line)
        case .number(let digits): line += digits
        case .boolean(let value): line += value ? "true" : "false"
        case .list(let values):
            line += "["
            for (index, value) in values.enumerated() {
                if index > 0 { line += "," }
                append(value, to: &line)
            }
            line += "]"
        }
    }

    static func append(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }
}
