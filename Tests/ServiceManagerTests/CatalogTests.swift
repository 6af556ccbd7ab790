import Foundation
import ServiceManager
import Testing

/// `systemd/braid.catalog` and ``EventKind`` are two views of one list.
@Suite struct CatalogTests {
    private struct Entry {
        var comment: String
        var identifier: String
        var header: [String: String] = [:]
        var text = ""
    }

    private static let file = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("systemd/braid.catalog")

    private static func entries() throws -> [Entry] {
        var entries: [Entry] = []
        var comment = ""
        var inHeader = false
        for line in try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            if line.hasPrefix("# ") {
                comment = String(line.dropFirst(2))
            } else if line.hasPrefix("-- ") {
                entries.append(Entry(comment: comment, identifier: String(line.dropFirst(3))))
                inHeader = true
            } else if line.isEmpty {
                inHeader = false
                if !entries.isEmpty { entries[entries.count - 1].text += "\n" }
            } else if inHeader, let colon = line.firstIndex(of: ":") {
                entries[entries.count - 1].header[String(line[..<colon])] = line[line.index(after: colon)...]
                    .trimmingCharacters(in: .whitespaces)
            } else {
                entries[entries.count - 1].text += line + "\n"
            }
        }
        return entries
    }

    @Test func `every kind has an entry, and every entry a kind`() throws {
        let entries = try Self.entries()
        #expect(entries.map(\.identifier).sorted() == EventKind.allCases.map(\.messageID).sorted())
        for entry in entries {
            let kind = EventKind.allCases.first { $0.messageID == entry.identifier }
            #expect(kind?.rawValue == entry.comment, "the comment above \(entry.identifier)")
        }
    }

    @Test func `identifiers are 128 random bits, each its own`() {
        let identifiers = EventKind.allCases.map(\.messageID)
        #expect(Set(identifiers).count == identifiers.count)
        for identifier in identifiers {
            #expect(identifier.wholeMatch(of: /[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}/) != nil, "\(identifier)")
        }
    }

    @Test func `every entry has a subject, says who defined it and explains`() throws {
        for entry in try Self.entries() {
            #expect(entry.header["Subject"]?.isEmpty == false, "\(entry.comment)")
            #expect(entry.header["Defined-By"] == "Braid", "\(entry.comment)")
            #expect(entry.header["Support"]?.isEmpty == false, "\(entry.comment)")
            #expect(entry.text.split(separator: "\n").count >= 1, "\(entry.comment)")
            // Fields to fill in are well-formed: an odd `@` would swallow the text up to the next one.
            let marks = entry.text.matches(of: /@/).count
            let fields = entry.text.matches(of: /@BRAID_[A-Z_]+@/).count
            #expect(marks == 2 * fields, "\(entry.comment)")
        }
    }
}
