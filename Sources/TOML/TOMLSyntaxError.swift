/// Why a text is not TOML.
public struct TOMLSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where the parser stopped.
    public let location: TOMLLocation
    /// What is wrong.
    public let message: String
    /// What to write instead.
    public let remedy: String

    /// An error that our own checks found.
    init(at location: TOMLLocation, message: String, remedy: String) {
        self.location = location
        self.message = message
        self.remedy = remedy
    }

    /// An error in toml++'s words ("Error while parsing CONTEXT: REASON").
    init(at location: TOMLLocation, parserMessage: String) {
        let preface = "Error while parsing "
        self.location = location
        if parserMessage.hasPrefix(preface) {
            self.message = "not valid TOML in \(parserMessage.dropFirst(preface.count))"
        } else {
            self.message = "not valid TOML: \(parserMessage)"
        }
        self.remedy = Self.remedy(for: parserMessage)
    }

    /// One line: where, what, and what to do.
    public var description: String {
        "\(location.source):\(location.line):\(location.column): \(message); \(remedy)"
    }

    /// Whether the text sets again what it has set before.
    var isRedefinition: Bool { message.contains("cannot redefine") }

    private static func remedy(for message: String) -> String {
        let remedies = [
            ("cannot redefine", "remove one of the two"),
            ("inline table", "write each key of an inline table once, on one line, separated by commas"),
            ("end-of-file", "complete it"),
            ("expected '='", "write KEY = VALUE"),
            ("expected value", "write a value after ="),
            ("could not determine value type", "put text in \"quotes\""),
            ("expected a comment or whitespace", "put each key on a line of its own"),
            ("expected keys, tables", "write KEY = VALUE, or [TABLE]"),
            ("invalid utf-8", "save the file as UTF-8"),
            ("overlong utf-8", "save the file as UTF-8"),
            ("not representable", "write a number that fits in 64 bits"),
            ("maximum", "use fewer levels"),
        ]
        return remedies.first { message.contains($0.0) }?.1 ?? "correct it as https://toml.io/en/v1.0.0 says"
    }
}
