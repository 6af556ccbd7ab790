internal import CSystemd

/// How log records are written: `log-format` of the configuration.
public enum LogFormat: String, Sendable, CaseIterable {
    /// ``journal`` when standard error is connected to the journal, else ``text``.
    case auto
    /// One line a record: time, level, message, then `key=value` pairs in logfmt.
    case text
    /// One JSON object a line.
    case json
    /// Structured records straight to the journal.
    case journal

    /// What ``auto`` comes to in this process; any other format is itself.
    public var resolved: LogFormat {
        guard self == .auto else { return self }
        return Self.isJournal(stream: Environment.value(of: "JOURNAL_STREAM"), descriptor: 2) ? .journal : .text
    }

    /// Whether `descriptor` is the very stream that `JOURNAL_STREAM` names by device and inode number, as systemd.exec(5)
    /// tells programs to check: the variable alone survives a redirection of standard error.
    static func isJournal(stream: String?, descriptor: CInt) -> Bool {
        let parts = (stream ?? "").split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1]) else { return false }
        return braid_is_file(descriptor, device, inode) == 1
    }
}
