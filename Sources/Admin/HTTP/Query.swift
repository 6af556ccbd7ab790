/// A request's target: its path, and its query's names and values.
struct Query {
    let path: String
    let items: [(name: String, value: String)]

    /// Splits `PATH?NAME=VALUE&…`; nil when an escape is wrong.
    init?(_ target: String) {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = Self.unescape(parts[0], plusIsSpace: false) else { return nil }
        var items: [(name: String, value: String)] = []
        for pair in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.unescape(halves[0], plusIsSpace: true),
                let value = halves.count > 1 ? Self.unescape(halves[1], plusIsSpace: true) : ""
            else { return nil }
            items.append((name, value))
        }
        self.path = path
        self.items = items
    }

    /// Resolves `%XX`; nil when one is wrong, or what it says is not UTF-8 or has a NUL.
    static func unescape(_ text: Substring, plusIsSpace: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(nibble), let low = rest.popFirst().flatMap(nibble) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        if bytes.contains(0) { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func nibble(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// A query that cannot be answered, and why.
struct QueryError: Error {
    let message: String

    init(_ message: String) { self.message = message }
}
