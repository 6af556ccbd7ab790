public import Logging

/// Writes each record as one line: time, level, message, then `key=value` pairs in logfmt, keys in lower case with `_`.
///
/// ```text
/// 2026-11-22T18:55:01.123Z info connection ended bytes_down=1048576 client=192.0.2.7:40022 relay=imap
/// ```
/// Nothing in a record can break its line or reach the terminal as a control sequence: see ``TextEscaping``.
public struct TextLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel: Logger.Level
    private let output: LineOutput

    /// Writes records of `level` and above to `output`.
    public init(output: LineOutput, level: Logger.Level = .info) {
        self.output = output
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var fields = LogFields(metadata, metadataProvider, event)
        _ = fields.remove(EventKind.messageIDKey)
        var line = "\(Timestamp.now) \(event.level) " + TextEscaping.escape(event.message.description)
        for (name, value) in fields.fields {
            line += " " + LogFieldName.plain(name) + "=" + TextEscaping.value(value.text)
        }
        output.write(line)
    }
}
