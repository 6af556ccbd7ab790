public import Logging

/// Writes each record as one line: time, level, message, then `key=value` pairs in logfmt, keys in lower case with `_`.
///
/// ```text
/// 2026-11-22T18:55:01.123Z info connection ended bytes_down=1048576 client=192.0.2.7:40022 relay=imap
/// ```
/// Nothing in a record can break its line or reach the terminal as a control sequence: see ``TextEscaping``.
public struct TextLogHandler: LogHandler {
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
        var fields = LogFields(metadata, metadataProvider, event)
        _ = fields.remove(EventKind.messageIDKey)
        var line = "\(Timestamp.now) \(event.level) " + TextEscaping.escape(event.message.description)
        for (name, value) in fields.fields {
            line += " " + LogFieldName.plain(name) + "=" + TextEscaping.value(value.text)
        }
        output.write(line)
    }
}
