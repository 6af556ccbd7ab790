/// Where something begins in a TOML text.
public struct TOMLLocation: Sendable, Hashable {
    /// The name of the text, usually the path of its file.
    public let source: String
    /// Counts from 1.
    public let line: Int
    /// Counts from 1, in Unicode scalars.
    public let column: Int

    /// A place in the text called `source`.
    public init(source: String, line: Int, column: Int) {
        self.source = source
        self.line = line
        self.column = column
    }
}

/// A value and where it begins.
public struct TOMLNode: Sendable, Equatable {
    /// Of a table that was written as `[header]`, where the bracket opens.
    public let location: TOMLLocation
    /// The value itself.
    public var value: TOMLValue

    /// Whether the value could not be had; see ``TOMLValue/unusable``.
    public var isUnusable: Bool {
        if case .unusable = value { true } else { false }
    }

    /// A value that was read, or made, at `location`.
    public init(_ value: TOMLValue, at location: TOMLLocation) {
        self.location = location
        self.value = value
    }
}

/// What TOML can say.
public indirect enum TOMLValue: Sendable, Equatable {
    case table(TOMLTable)
    case array([TOMLNode])
    case string(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    /// A date, a time or both, as TOML writes it.
    case dateTime(String)
    /// A value that could not be had, which has been reported already: readers treat it as absent, without complaint.
    case unusable

    /// How a person calls this kind of value.
    public var kind: String {
        switch self {
        case .table: "a table"
        case .array: "an array"
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .dateTime: "a date or time"
        case .unusable: "nothing"
        }
    }
}

/// A table: its entries in the order of the source.
public struct TOMLTable: Sendable, Equatable {
    /// A key with its value.
    public struct Entry: Sendable, Equatable {
        /// The key, unquoted.
        public let key: String
        /// Where the key begins.
        public let keyLocation: TOMLLocation
        /// The value.
        public var node: TOMLNode

        /// An entry as it was read.
        public init(key: String, keyLocation: TOMLLocation, node: TOMLNode) {
            self.key = key
            self.keyLocation = keyLocation
            self.node = node
        }
    }

    /// No key occurs twice.
    public var entries: [Entry]

    /// A table of these entries.
    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// The entry with this key.
    public subscript(key: String) -> Entry? {
        entries.first { $0.key == key }
    }
}
