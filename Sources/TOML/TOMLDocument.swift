import CTOML

/// A parsed TOML text.
public struct TOMLDocument: Sendable, Equatable {
    /// The name that was given to the text, usually its file's path.
    public let source: String
    /// The keys outside all headers, and the headers' tables.
    public let root: TOMLTable

    /// Parses UTF-8 bytes (TOML 1.0).
    ///
    /// - Parameters:
    ///   - bytes: the text; malformed UTF-8 is a syntax error.
    ///   - source: what locations call the text.
    /// - Throws: the first syntax error.
    public static func parse(_ bytes: [UInt8], source: String) throws(TOMLSyntaxError) -> TOMLDocument {
        if let error = TOMLStatements(bytes).tooDeepKey(source: source) { throw error }
        return TOMLDocument(source: source, root: try parseRoot(bytes, source: source))
    }

    /// Parses a text (TOML 1.0); see ``parse(_:source:)-([UInt8],_)``.
    public static func parse(_ text: String, source: String) throws(TOMLSyntaxError) -> TOMLDocument {
        try parse(Array(text.utf8), source: source)
    }

    /// Parses what can be parsed: after a syntax error, the statement (or the whole `[table]`) that has it is left out
    /// and the rest is read, as long as it is certain where the rest begins.
    ///
    /// - Returns: what remains (nothing when the rest could not be told from the fault), and every error, in order.
    public static func parseRecovering(
        _ bytes: [UInt8], source: String
    ) -> (document: TOMLDocument?, errors: [TOMLSyntaxError]) {
        let statements = TOMLStatements(bytes)
        if let error = statements.tooDeepKey(source: source) { return (nil, [error]) }
        var remaining = bytes
        var errors: [TOMLSyntaxError] = []
        while true {
            do throws(TOMLSyntaxError) {
                return (TOMLDocument(source: source, root: try parseRoot(remaining, source: source)), errors)
            } catch {
                let found = statements.atKey(error)
                // The parser goes forward only; standing still means that leaving out did not help.
                if let last = errors.last,
                    (last.location.line, last.location.column) >= (found.location.line, found.location.column)
                {
                    return (nil, errors)
                }
                errors.append(found)
                guard errors.count < 50, let faulty = statements.extent(of: found) else { return (nil, errors) }
                for index in faulty where remaining[index] != UInt8(ascii: "\n") {
                    remaining[index] = UInt8(ascii: " ")
                }
            }
        }
    }

    private static func parseRoot(_ bytes: [UInt8], source: String) throws(TOMLSyntaxError) -> TOMLTable {
        let parsed = unsafe bytes.withUnsafeBytes { buffer in
            unsafe ctoml_parse(buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
        }
        guard let document = unsafe parsed else {
            throw TOMLSyntaxError(
                at: TOMLLocation(source: source, line: 1, column: 1), message: "out of memory",
                remedy: "use a smaller file")
        }
        defer { unsafe ctoml_free(document) }
        if unsafe ctoml_failed(document) {
            throw unsafe TOMLSyntaxError(
                at: TOMLLocation(ctoml_error_position(document), in: source),
                parserMessage: String(ctoml_error_message(document)))
        }
        var index = 0
        let entry = unsafe nextEntry(of: document, &index, source: source)
        guard case .table(let root) = entry.node.value else { return TOMLTable() }
        return root
    }
}

/// Reads the flat list of nodes back into a tree, from the node at `index` on. The depth is bounded: by toml++ for
/// values, and by ``TOMLStatements`` for keys.
///
/// `document` is alive for the whole call: the caller frees it afterwards.
private func nextEntry(of document: OpaquePointer, _ index: inout Int, source: String) -> TOMLTable.Entry {
    let node = unsafe ctoml_node_at(document, index)
    index += 1
    let value: TOMLValue
    switch unsafe node.kind {
    case .CTOML_TABLE:
        var entries: [TOMLTable.Entry] = []
        for _ in unsafe 0..<node.child_count {
            entries.append(unsafe nextEntry(of: document, &index, source: source))
        }
        value = .table(TOMLTable(entries))
    case .CTOML_ARRAY:
        var elements: [TOMLNode] = []
        for _ in unsafe 0..<node.child_count {
            elements.append(unsafe nextEntry(of: document, &index, source: source).node)
        }
        value = .array(elements)
    case .CTOML_STRING: value = unsafe .string(String(node.text))
    case .CTOML_INTEGER: value = unsafe .integer(node.integer)
    case .CTOML_FLOAT: value = unsafe .float(node.floating)
    case .CTOML_BOOLEAN: value = unsafe .boolean(node.boolean)
    case .CTOML_DATETIME: value = unsafe .dateTime(String(node.text))
    }
    return unsafe TOMLTable.Entry(
        key: String(node.key), keyLocation: TOMLLocation(node.key_position, in: source),
        node: TOMLNode(value, at: TOMLLocation(node.position, in: source)))
}

extension TOMLLocation {
    fileprivate init(_ position: ctoml_position, in source: String) {
        self.init(source: source, line: Int(position.line), column: Int(position.column))
    }
}

extension String {
    /// Copies text that the document owns.
    fileprivate init(_ text: ctoml_text) {
        unsafe self.init(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.length), as: UTF8.self)
    }
}
