/// Where each statement of a TOML text begins and ends: a `[header]`, or a key with its value. Found without parsing,
/// so that a text with a fault can still be taken apart, and that hostile nesting is seen before it is built.
struct TOMLStatements {
    struct Statement {
        var isHeader: Bool
        /// Byte offsets: without the white space before, with the rest of the last line, without its line feed.
        var bytes: Range<Int>
        var lines: ClosedRange<Int>
        /// Of its first character, in Unicode scalars.
        var column: Int
        /// The most parts that a dotted key in it has.
        var keyParts: Int
    }

    /// toml++ walks and frees its tables by recursion: this bounds how deep it goes.
    static let maximumKeyParts = 16

    private(set) var list: [Statement] = []

    init(_ bytes: [UInt8]) {
        var scanner = StatementScanner(bytes: bytes)
        while let statement = scanner.next() { list.append(statement) }
    }

    /// An error if a key has more parts than any configuration needs.
    func tooDeepKey(source: String) -> TOMLSyntaxError? {
        guard let deep = list.first(where: { $0.keyParts > Self.maximumKeyParts }) else { return nil }
        return TOMLSyntaxError(
            at: TOMLLocation(source: source, line: deep.lines.lowerBound, column: deep.column),
            message: "a key has \(deep.keyParts) parts, and at most \(Self.maximumKeyParts) are taken",
            remedy: "use fewer dots")
    }

    /// What to leave out so that the rest can be read after `error`: the statement, or for a header everything that
    /// belongs to it, because its keys would land in another table. Nothing when its end is uncertain.
    func extent(of error: TOMLSyntaxError) -> Range<Int>? {
        guard let index = list.firstIndex(where: { $0.lines.contains(error.location.line) }) else { return nil }
        let statement = list[index]
        if statement.isHeader {
            let end = list[(index + 1)...].first { $0.isHeader }?.bytes.lowerBound ?? list.last?.bytes.upperBound
            return statement.bytes.lowerBound..<(end ?? statement.bytes.upperBound)
        }
        // A repeated key is well formed, so its end is certain; another fault must be within one line.
        guard error.isRedefinition || statement.lines.count == 1 else { return nil }
        return statement.bytes
    }

    /// toml++ reports a repeated key where its value begins; people look for the key.
    func atKey(_ error: TOMLSyntaxError) -> TOMLSyntaxError {
        guard error.isRedefinition,
            let statement = list.first(where: { $0.lines.lowerBound == error.location.line && !$0.isHeader })
        else { return error }
        return TOMLSyntaxError(
            at: TOMLLocation(source: error.location.source, line: error.location.line, column: statement.column),
            message: error.message, remedy: error.remedy)
    }
}

/// Goes through the bytes once.
private struct StatementScanner {
    let bytes: [UInt8]
    private var offset = 0
    private var line = 1
    private var column = 1

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
    }

    private func byte(_ ahead: Int = 0) -> UInt8? {
        offset + ahead < bytes.count ? bytes[offset + ahead] : nil
    }

    private mutating func advance() {
        guard let current = byte() else { return }
        offset += 1
        if current == UInt8(ascii: "\n") {
            line += 1
            column = 1
        } else if current & 0xC0 != 0x80 {
            column += 1
        }
    }

    private mutating func skipComment() {
        while let current = byte(), current != UInt8(ascii: "\n") { advance() }
    }

    mutating func next() -> TOMLStatements.Statement? {
        while let current = byte() {
            switch current {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): advance()
            case UInt8(ascii: "#"): skipComment()
            default: return statement(isHeader: current == UInt8(ascii: "["))
            }
        }
        return nil
    }

    private mutating func statement(isHeader: Bool) -> TOMLStatements.Statement {
        let start = (offset: offset, line: line, column: column)
        var depth = 0
        var parts = 1
        var mostParts = 1
        scan: while let current = byte() {
            switch current {
            case UInt8(ascii: "\n"):
                if depth <= 0 || isHeader { break scan }
                parts = 1
                advance()
            case UInt8(ascii: "#"):
                skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                skipString(quote: current)
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                parts = 1
                advance()
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                advance()
            case UInt8(ascii: "="), UInt8(ascii: ","):
                parts = 1
                advance()
            case UInt8(ascii: "."):
                parts += 1
                mostParts = max(mostParts, parts)
                advance()
            default:
                advance()
            }
        }
        return TOMLStatements.Statement(
            isHeader: isHeader, bytes: start.offset..<offset, lines: start.line...line, column: start.column,
            keyParts: mostParts)
    }

    /// A string that does not end ends with its line, as it does for the parser.
    private mutating func skipString(quote: UInt8) {
        let isLong = byte(1) == quote && byte(2) == quote
        let isBasic = quote == UInt8(ascii: "\"")
        for _ in 0..<(isLong ? 3 : 1) { advance() }
        while let current = byte() {
            if current == UInt8(ascii: "\n"), !isLong { return }
            if isBasic, current == UInt8(ascii: "\\") {
                advance()
                if byte() != UInt8(ascii: "\n") || isLong { advance() }
                continue
            }
            if current == quote {
                if !isLong {
                    advance()
                    return
                }
                var run = 0
                while byte() == quote, run < 5 {
                    advance()
                    run += 1
                }
                if run >= 3 { return }
                continue
            }
            advance()
        }
    }
}
