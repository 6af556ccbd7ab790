import FoundationEssentials

/// A page of the book in `docs`, and the blocks in it that tests run.
public struct BookPage: Sendable, CustomStringConvertible {
    /// A fenced block.
    public struct Block: Sendable {
        /// The line of the page on which it begins.
        public let line: Int
        /// What its first line says: `["sh", "near", "fails"]`.
        public let label: [String]
        /// What is in it.
        public let text: String

        /// Whether its label is this one.
        public func isLabelled(_ label: String...) -> Bool { self.label == label }
    }

    /// The file's name.
    public let name: String
    /// Its blocks in order.
    public let blocks: [Block]
    /// Blocks that are marked by indentation, and so have no label.
    public let unlabelled: [Block]
    /// Code within the text.
    public let phrases: [String]
    /// Where its links lead.
    public let links: [String]

    /// Its name.
    public var description: String { name }

    /// The project's own README, whose blocks have no labels.
    public static let readme = try? BookPage("../README.md")

    /// The directory of the pages.
    public static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("docs").path

    /// All pages, by name.
    public static let all: [BookPage] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { $0.hasSuffix(".md") }.sorted().compactMap { try? BookPage($0) }
    }()

    /// Reads a page.
    public init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOfFile: "\(Self.directory)/\(name)", encoding: .utf8)
        var blocks: [Block] = []
        var indented: [(line: Int, text: String)] = []
        var prose = ""
        var open: (line: Int, label: [String], text: String)?
        var isAfterBlank = true
        var isIndented = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("```") {
                if let block = open {
                    blocks.append(Block(line: block.line, label: block.label, text: block.text))
                    open = nil
                } else {
                    open = (index + 1, line.dropFirst(3).split(separator: " ").map(String.init), "")
                }
            } else if open != nil {
                open?.text += line + "\n"
            } else {
                // Blank lines do not end it.
                if line.hasPrefix("    ") {
                    if isAfterBlank, !isIndented { indented.append((index + 1, "")) }
                    isIndented = isIndented || isAfterBlank
                } else if !line.isEmpty {
                    isIndented = false
                }
                if isIndented { indented[indented.count - 1].text += line.dropFirst(4) + "\n" }
                prose += line + "\n"
            }
            isAfterBlank = line.isEmpty
        }
        if let block = open { indented.append((block.line, block.text)) }
        self.blocks = blocks
        unlabelled = indented.map { Block(line: $0.line, label: [], text: $0.text) }
        // Between the first and the second `, the third and the fourth, and so on.
        phrases = prose.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        links = prose.split(separator: "](", omittingEmptySubsequences: false).dropFirst()
            .compactMap { $0.split(separator: ")").first.map(String.init) }
    }
}
