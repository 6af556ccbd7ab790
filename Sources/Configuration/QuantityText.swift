import TOML

/// Amounts of data as the configuration writes them: `"64KiB"`, `"20GB"`.
enum SizeText {
    private static let units: [(name: String, bytes: Int)] = [
        ("b", 1), ("kb", 1000), ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000),
        ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40),
    ]

    /// Reads a size in bytes; `"0"` needs no unit.
    static func read(_ node: TOMLNode, in range: ClosedRange<Int>, orZero: Bool) throws(TOMLBadValue) -> Int {
        if case .integer(let bytes) = node.value {
            throw TOMLBadValue("is a number without unit", "write \"\(bytes)B\", if bytes are meant")
        }
        let text = try node.string("a size such as \"64KiB\" or \"20GB\"")
        if orZero, text == "0" { return 0 }
        let (number, unitName) = DecimalText.split(Substring(text))
        guard let unit = units.first(where: { $0.name == unitName.lowercased() }),
            let size = DecimalText.scaled(number, by: unit.bytes)
        else {
            throw TOMLBadValue(
                "is \"\(text)\", which is no size or too large",
                "write a number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB")
        }
        guard range.contains(size) || (orZero && size == 0) else {
            throw TOMLBadValue(
                "is \"\(text)\", which is out of range",
                "write \"\(format(range.lowerBound))\" to \"\(format(range.upperBound))\""
                    + (orZero ? ", or \"0\"" : ""))
        }
        return size
    }

    /// The size in the largest unit that is exact.
    static func format(_ bytes: Int) -> String {
        let names = [
            ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000), ("MiB", 1 << 20),
            ("MB", 1_000_000), ("KiB", 1 << 10), ("KB", 1000),
        ]
        for (name, size) in names where bytes >= size && bytes % size == 0 { return "\(bytes / size)\(name)" }
        return "\(bytes)B"
    }
}

/// Bit rates as the configuration writes them: `"10Mbit"`.
enum BitRateText {
    private static let units: [(name: String, bits: Int)] = [
        ("bit", 1), ("kbit", 1000), ("mbit", 1_000_000), ("gbit", 1_000_000_000), ("tbit", 1_000_000_000_000),
    ]

    /// Reads a rate in bits a second.
    static func read(_ node: TOMLNode, in range: ClosedRange<Int>) throws(TOMLBadValue) -> Int {
        let text = try node.string("a rate such as \"10Mbit\"")
        let (number, unitName) = DecimalText.split(Substring(text))
        guard let unit = units.first(where: { $0.name == unitName.lowercased() }),
            let rate = DecimalText.scaled(number, by: unit.bits)
        else {
            throw TOMLBadValue(
                "is \"\(text)\", which is no bit rate or too large", "write a number with bit, kbit, Mbit or Gbit")
        }
        guard range.contains(rate) else {
            throw TOMLBadValue(
                "is \"\(text)\", which is out of range",
                "write a rate from \(range.lowerBound) to \(range.upperBound) bits a second")
        }
        return rate
    }
}

/// How often something may happen.
public struct EventRate: Sendable, Hashable {
    /// How many times …
    public var count: Int
    /// … within this long.
    public var interval: Duration

    /// So many times within so long.
    public init(count: Int, interval: Duration) {
        self.count = count
        self.interval = interval
    }

    /// Reads `"100/s"`, `"600/m"`, `"1000/h"`.
    static func read(_ node: TOMLNode) throws(TOMLBadValue) -> EventRate {
        let remedy = "write a number of 1 to 1000000 and a unit of time, such as \"100/s\""
        let text = try node.string("a rate such as \"100/s\"")
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let intervals: [Substring: Duration] = ["s": .seconds(1), "m": .seconds(60), "h": .seconds(3600)]
        guard parts.count == 2, let count = DecimalText.integer(parts[0]), (1...1_000_000).contains(count),
            let interval = intervals[parts[1]]
        else { throw TOMLBadValue("is \"\(text)\", which is no rate", remedy) }
        return EventRate(count: count, interval: interval)
    }
}
