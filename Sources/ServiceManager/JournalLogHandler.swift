public import Logging

/// Sends each record to the journal with its fields.
///
/// Metadata keys become upper-case fields prefixed `BRAID_` (`bytes-up` → `BRAID_BYTES_UP`); the reserved key
/// ``EventKind/messageIDKey`` becomes `MESSAGE_ID`; lists become a field of that name for each element.
/// At log level `debug` or below every record also says where in the code it was made.
public struct JournalLogHandler: LogHandler {
    /// Fields that go with every record.
    public var metadata: Logger.Metadata = [:]
    /// Where further fields come from at each record.
    public var metadataProvider: Logger.MetadataProvider?
    /// The least severe level that is written.
    public var logLevel: Logger.Level
    private let output: JournalOutput
    private let identifier: String

    /// Sends records of `level` and above to `output` under the syslog identifier `identifier`.
    public init(output: JournalOutput, identifier: String = "braid", level: Logger.Level = .info) {
        self.output = output
        self.identifier = identifier
        logLevel = level
    }

    /// One of the fields that go with every record.
    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one record; it never fails, but may be counted as undelivered.
    public func log(event: LogEvent) {
        output.send(fields(of: event))
    }

    /// The journal's fields for `event`.
    func fields(of event: LogEvent) -> [JournalField] {
        var fields = LogFields(metadata, metadataProvider, event)
        var result = [
            JournalField("MESSAGE", event.message.description),
            JournalField("PRIORITY", String(event.level.syslogPriority)),
            JournalField("SYSLOG_IDENTIFIER", identifier),
        ]
        if let id = fields.remove(EventKind.messageIDKey) { result.append(JournalField("MESSAGE_ID", id)) }
        for (name, value) in fields.fields {
            let name = LogFieldName.journal(name)
            if case .list(let values) = value {
                result += values.map { JournalField(name, $0.text) }
            } else {
                result.append(JournalField(name, value.text))
            }
        }
        if logLevel <= .debug {
            result.append(JournalField("CODE_FILE", event.file))
            result.append(JournalField("CODE_LINE", String(event.line)))
            result.append(JournalField("CODE_FUNC", event.function))
        }
        return result
    }
}

extension Logger.Level {
    /// The level's place in syslog(3): 2 critical to 7 debug. `trace` has none of its own and shares debug's.
    var syslogPriority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
