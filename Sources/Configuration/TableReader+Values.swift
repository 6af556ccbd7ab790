import TOML

/// The kinds of value that configuration keys have.
extension TableReader {
    mutating func boolean(_ key: String, default fallback: Bool) -> Bool {
        value(key) { node throws(TOMLBadValue) in try node.boolean() } ?? fallback
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
        value(key) { node throws(TOMLBadValue) in try node.integer(in: range) } ?? fallback
    }

    mutating func word<Word: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Word
    ) -> Word where Word.RawValue == String {
        value(key) { node throws(TOMLBadValue) in try node.word(Word.self) } ?? fallback
    }

    mutating func duration(
        _ key: String, in range: ClosedRange<Duration>, orZero: Bool = false, default fallback: Duration
    ) -> Duration {
        let bounds = DurationText.Bounds(range: range, orZero: orZero)
        return value(key) { node throws(TOMLBadValue) in try DurationText.read(node, bounds) } ?? fallback
    }

    mutating func path(_ key: String) -> String? {
        value(key) { node throws(TOMLBadValue) in
            try PathText.absolute(try node.string("an absolute path in \"quotes\""))
        }
    }

    mutating func name(_ key: String) -> String? {
        value(key) { node throws(TOMLBadValue) in try PlainName.parse(try node.string()) }
    }

    mutating func networks(_ key: String) -> [IPNetwork]? {
        list(key) { node throws(TOMLBadValue) in
            try IPNetwork(parsing: try node.string("a network such as \"192.0.2.0/24\""))
        }?.map(\.value)
    }

    /// `"auto"`, or what `read` makes of anything else.
    mutating func automatic<Value>(
        _ key: String, automatic: Value, _ read: (TOMLNode) throws(TOMLBadValue) -> Value
    ) -> Value {
        value(key) { node throws(TOMLBadValue) in
            if case .string("auto") = node.value { return automatic }
            return try read(node)
        } ?? automatic
    }
}
