public import Logging

/// Where this process's log records go, and how many did not arrive.
///
/// ```swift
/// let destination = LogDestination(format: .auto, level: .info)
/// LoggingSystem.bootstrap { _ in destination.handler() }
/// ```
public final class LogDestination: Sendable {
    /// The format in use, never ``LogFormat/auto``.
    public let format: LogFormat
    /// The least severe level that is written, by every logger that writes here.
    public var level: Logger.Level {
        get { threshold.level }
        set { threshold.level = newValue }
    }
    private let threshold: LogThreshold
    private let lines: LineOutput
    private let journal: JournalOutput

    /// Records of `level` and above in `format`: to the journal, or to standard error.
    public init(format: LogFormat, level: Logger.Level = .info) {
        self.format = format.resolved
        threshold = LogThreshold(level)
        lines = LineOutput()
        journal = JournalOutput()
    }

    /// A log handler that writes here.
    public func handler() -> any LogHandler {
        let handler: any LogHandler =
            switch format {
            case .journal: JournalLogHandler(output: journal, level: level)
            case .json: JSONLogHandler(output: lines, level: level)
            case .text, .auto: TextLogHandler(output: lines, level: level)
            }
        return ThresholdLogHandler(handler, threshold)
    }

    /// How many records were lost since the start because nobody took them.
    public var undelivered: UInt64 { lines.undelivered + journal.undelivered }
}
