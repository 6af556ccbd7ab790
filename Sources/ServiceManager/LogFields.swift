internal import Logging

/// The metadata of one record, flattened to named fields in the order of their names.
///
/// Nested dictionaries become `outer-inner`. How a value travels decides how JSON shows it:
/// `.stringConvertible` of an integer, a finite floating-point number or a `Bool` stays that; everything else,
/// and every `.string`, is text, digits or not.
struct LogFields {
    /// A field's name as the caller wrote it, with its value.
    var fields: [(name: String, value: LogFieldValue)] = []

    /// The merge of a handler's own metadata, its provider's and the record's; later ones win.
    init(_ own: Logger.Metadata, _ provider: Logger.MetadataProvider?, _ event: LogEvent) {
        var merged = own
        if let provider { merged.merge(provider.get()) { $1 } }
        if let metadata = event.metadata { merged.merge(metadata) { $1 } }
        if let error = event.error { merged["error"] = .string("\(error)") }
        append(merged, prefix: "")
        fields.sort { $0.name < $1.name }
    }

    /// Takes the field `name` out and answers its text.
    mutating func remove(_ name: String) -> String? {
        guard let index = fields.firstIndex(where: { $0.name == name }) else { return nil }
        return fields.remove(at: index).value.text
    }

    private mutating func append(_ metadata: Logger.Metadata, prefix: String) {
        for (key, value) in metadata {
            switch value {
            case .dictionary(let inner): append(inner, prefix: prefix + key + "-")
            default: fields.append((prefix + key, LogFieldValue(value)))
            }
        }
    }
}

/// A value of a log field.
enum LogFieldValue {
    case text(String)
    case number(String)
    case boolean(Bool)
    case list([LogFieldValue])

    init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .text(text)
        case .stringConvertible(let value as Bool): self = .boolean(value)
        case .stringConvertible(let value as any BinaryInteger): self = .number("\(value)")
        case .stringConvertible(let value as Double) where value.isFinite: self = .number("\(value)")
        case .stringConvertible(let value as Float) where value.isFinite: self = .number("\(value)")
        case .stringConvertible(let value): self = .text("\(value)")
        case .array(let values): self = .list(values.map(LogFieldValue.init))
        case .dictionary: self = .text("\(value)")  // only inside a list; elsewhere it has been flattened
        }
    }

    /// As text; a list is joined by commas.
    var text: String {
        switch self {
        case .text(let text), .number(let text): text
        case .boolean(let value): value ? "yes" : "no"
        case .list(let values): values.map(\.text).joined(separator: ",")
        }
    }
}
