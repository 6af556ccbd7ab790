import TOML

/// Where something is written in a configuration file. Prints as `FILE:LINE:COLUMN`.
public struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    /// The path of the file as it was given, or as an `include` found it.
    public let file: String
    /// Counts from 1.
    public let line: Int
    /// Counts from 1, in Unicode scalars.
    public let column: Int

    /// A place in `file`.
    public init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    init(_ location: TOMLLocation) {
        self.init(file: location.source, line: location.line, column: location.column)
    }

    /// `FILE:LINE:COLUMN`.
    public var description: String { "\(file):\(line):\(column)" }
}

/// A value and where it is written. Equal when the values are: moving a line in a file changes no setting.
public struct Located<Value: Sendable & Equatable>: Sendable, Equatable {
    /// The value.
    public var value: Value
    /// Where it begins.
    public var location: SourceLocation

    /// A value that was written at `location`.
    public init(_ value: Value, at location: SourceLocation) {
        self.value = value
        self.location = location
    }

    /// Compares the values only.
    public static func == (a: Self, b: Self) -> Bool { a.value == b.value }
}

/// Where a table of the configuration and each key that it sets are written, so that what fails at run time can name
/// its line. All are equal: moving a line in a file changes no setting.
public struct KeyLocations: Sendable, Equatable {
    /// Where the table begins; line 1 of the main file when there is none.
    public let table: SourceLocation
    private var keys: [String: SourceLocation] = [:]

    /// Locations of a table in which no key is set.
    public init(table: SourceLocation) {
        self.table = table
    }

    /// Where the value of the first of these keys that is set begins, or else the table. Keys of inner tables are
    /// written with dots: `locations["socket.listen.mark", "socket.mark"]`.
    public subscript(_ candidates: String...) -> SourceLocation {
        for key in candidates {
            if let location = keys[key] { return location }
        }
        return table
    }

    /// Whether the file sets the key, be it to the default.
    public func isSet(_ key: String) -> Bool { keys[key] != nil }

    /// Always true.
    public static func == (a: Self, b: Self) -> Bool { true }

    mutating func add(_ reader: TableReader, prefix: String = "") {
        for (key, location) in reader.locations { keys[prefix + key] = SourceLocation(location) }
    }
}
