internal import FoundationEssentials
internal import LinuxSystem
internal import Logging
internal import Paths
internal import ServiceManager

/// Where the links' use of the month is kept: `usage` in the state directory (`$STATE_DIRECTORY`, else /var/lib/braid). A new
/// file takes the old one's place, so that it is whole whenever the machine stops.
struct UsageFile {
    private static let name = "usage"
    private static let defaultDirectory = "/var/lib/braid"

    let path: String
    let logger: Logger
    private var written: UsageBook?
    private var failed = false

    /// - Parameter logger: where it is said that the file cannot be read or written.
    init(logger: Logger) {
        // Several are separated by colons, systemd.exec(5).
        let named = ThisProcess.environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        path = "\(named ?? Self.defaultDirectory)/\(Self.name)"
        self.logger = logger
    }

    /// What was kept; an empty book when there is nothing yet, or nothing that can be read.
    mutating func load() -> UsageBook {
        let empty = UsageBook(month: UsageBook.Month(seconds: Self.seconds))
        guard FileManager.default.fileExists(atPath: path) else { return empty }
        do {
            let text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
            guard let book = UsageBook(text: text) else {
                try FileManager.default.moveItem(atPath: path, toPath: "\(path).unreadable-\(Self.seconds)")
                say("\(path) is not what Braid wrote; it was moved aside, and the month's use counts from zero")
                return empty
            }
            written = book
            return book
        } catch {
            say("\(path) cannot be read, the month's use counts from zero: \(error)")
            return empty
        }
    }

    /// Writes a book, unless it is written already.
    mutating func save(_ book: UsageBook) {
        guard book != written else { return }
        do {
            let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
            if !FileManager.default.fileExists(atPath: directory) {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
            try Data(book.text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            written = book
            failed = false
        } catch {
            if !failed { say("\(path) cannot be written, a restart forgets the month's use: \(error)") }
            failed = true
        }
    }

    /// Whether a book is to be written.
    func differs(from book: UsageBook) -> Bool { book != written }

    private func say(_ text: String) {
        logger.event(.usageNotKept, "\(text)", metadata: ["file": "\(path)"])
    }

    /// Since 1970.
    static var seconds: Int64 { Int64(wallClockNanoseconds() / 1_000_000_000) }
}
