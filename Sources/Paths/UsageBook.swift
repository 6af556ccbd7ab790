/// How many bytes each link has carried in the current month, UTC. Kept on disk as text, so that a person can read and mend it.
public struct UsageBook: Sendable, Hashable {
    /// A calendar month, UTC.
    public struct Month: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// For example 2026.
        public var year: Int
        /// 1 to 12.
        public var month: Int

        /// A month by its numbers.
        public init(year: Int, month: Int) {
            self.year = year
            self.month = month
        }

        /// The month of a moment.
        ///
        /// - Parameter seconds: since 1970-01-01, UTC.
        public init(seconds: Int64) {
            // Days to a date by eras of 400 years, from 0000-03-01 on.
            var days = seconds / 86_400 - (seconds % 86_400 < 0 ? 1 : 0) + 719_468
            let era = (days >= 0 ? days : days - 146_096) / 146_097
            days -= era * 146_097
            let yearOfEra = (days - days / 1_460 + days / 36_524 - days / 146_096) / 365
            let dayOfYear = days - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
            let shifted = (5 * dayOfYear + 2) / 153
            month = Int(shifted < 10 ? shifted + 3 : shifted - 9)
            year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        }

        /// The month after.
        public var next: Month { month == 12 ? Month(year: year + 1, month: 1) : Month(year: year, month: month + 1) }

        /// Its first moment, in seconds since 1970-01-01, UTC.
        public var begin: Int64 {
            let shiftedYear = Int64(month <= 2 ? year - 1 : year)
            let shiftedMonth = Int64(month > 2 ? month - 3 : month + 9)
            let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
            let yearOfEra = shiftedYear - era * 400
            let dayOfYear = (153 * shiftedMonth + 2) / 5
            let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            return (era * 146_097 + dayOfEra - 719_468) * 86_400
        }

        /// `2026-11`
        public var description: String { "\(year)-\(month < 10 ? "0" : "")\(month)" }

        init?(_ text: Substring) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let year = Int(parts[0]), let month = Int(parts[1]), (1970...9999).contains(year),
                (1...12).contains(month)
            else { return nil }
            self.init(year: year, month: month)
        }

        /// Earlier or not.
        public static func < (left: Month, right: Month) -> Bool {
            (left.year, left.month) < (right.year, right.month)
        }
    }

    /// The month counted.
    public private(set) var month: Month
    private var bytes: [String: UInt64] = [:]

    private static let header = "braid usage 1"

    /// An empty book.
    public init(month: Month) { self.month = month }

    /// Reads a book; `nil` when it is none.
    public init?(text: String) {
        // By bytes: an interface's name may begin with what a Character joins to the space before it, and an editor may have
        // ended lines with CR LF, which is one Character too.
        let lines = text.utf8.split(separator: UInt8(ascii: "\n")).map { line in
            var line = Array(line)
            while line.last == UInt8(ascii: "\r") { line.removeLast() }
            return line
        }.filter { !$0.isEmpty }
        guard lines.count >= 2, lines[0].elementsEqual(Self.header.utf8),
            let month = Month(Substring(decoding: lines[1], as: UTF8.self))
        else { return nil }
        self.init(month: month)
        for line in lines.dropFirst(2) {
            // The name last: it may have spaces.
            guard let space = line.firstIndex(of: UInt8(ascii: " ")),
                let count = UInt64(String(decoding: line[..<space], as: UTF8.self)), space + 1 < line.endIndex
            else { return nil }
            bytes[String(decoding: line[(space + 1)...], as: UTF8.self)] = count
        }
    }

    /// As it is kept on disk.
    public var text: String {
        let lines = bytes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)\n" }
        return "\(Self.header)\n\(month)\n" + lines.joined()
    }

    /// What a link has carried this month.
    public func used(_ link: String) -> UInt64 { bytes[link] ?? 0 }

    /// Adds what a link has carried; a new month begins at zero. A clock that steps back into an earlier month changes nothing.
    public mutating func add(_ count: UInt64, to link: String, in month: Month) {
        turn(to: month)
        if count > 0 { bytes[link] = (bytes[link] ?? 0) &+ count }
    }

    /// Adds what another book has of the same month.
    public mutating func add(_ other: UsageBook) {
        turn(to: other.month)
        guard other.month == month else { return }
        for (link, count) in other.bytes { bytes[link] = (bytes[link] ?? 0) &+ count }
    }

    /// Begins a new month, if it is later than the book's.
    public mutating func turn(to month: Month) {
        guard month > self.month else { return }
        self.month = month
        bytes = [:]
    }
}
