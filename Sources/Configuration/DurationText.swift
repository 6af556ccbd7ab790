import TOML

/// Durations as the configuration writes them: `"250ms"`, `"30s"`, `"1h30m"`.
enum DurationText {
    /// Units and their nanoseconds.
    private static let units: [(name: String, nanoseconds: Int)] = [
        ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ]

    /// Which durations a key takes.
    struct Bounds {
        var range: ClosedRange<Duration>
        /// Whether `"0s"`, which switches something off, is allowed beside the range.
        var orZero = false
    }

    /// Reads a duration; `"0"` needs no unit.
    static func parse(_ text: String) throws(TOMLBadValue) -> Duration {
        if text == "0" { return .zero }
        var rest = Substring(text)
        var total = 0
        repeat {
            let (number, after) = DecimalText.split(rest)
            let unitName = after.prefix { $0.isLetter }
            guard let unit = units.first(where: { $0.name == unitName }) else {
                throw TOMLBadValue(
                    "is \"\(text)\", which is no duration", "write a number with ms, s, m, h or d, such as \"30s\"")
            }
            guard let part = DecimalText.scaled(number, by: unit.nanoseconds) else {
                throw TOMLBadValue(
                    "is \"\(text)\", which is no duration or too long", "write a number with a unit, such as \"30s\"")
            }
            let (sum, overflows) = total.addingReportingOverflow(part)
            guard !overflows else {
                throw TOMLBadValue("is \"\(text)\", which is too long", "write a shorter duration")
            }
            total = sum
            rest = after[unitName.endIndex...]
        } while !rest.isEmpty
        return .nanoseconds(total)
    }

    /// Reads a duration from a node and checks it.
    static func read(_ node: TOMLNode, _ bounds: Bounds) throws(TOMLBadValue) -> Duration {
        if case .integer(let seconds) = node.value {
            throw TOMLBadValue("is a number without unit", "write \"\(seconds)s\", if seconds are meant")
        }
        let duration = try parse(try node.string("a duration such as \"30s\""))
        if bounds.orZero, duration == .zero { return duration }
        guard bounds.range.contains(duration) else {
            let from = format(bounds.range.lowerBound)
            let to = format(bounds.range.upperBound)
            throw TOMLBadValue(
                "is \"\(format(duration))\", which is out of range",
                "write \"\(from)\" to \"\(to)\"" + (bounds.orZero ? ", or \"0s\"" : ""))
        }
        return duration
    }

    /// The duration in the largest unit that is exact.
    static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        guard attoseconds == 0 else {
            let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
            return microseconds % 1000 == 0 ? "\(microseconds / 1000)ms" : "\(microseconds)us"
        }
        if seconds == 0 { return "0s" }
        for (unit, size) in [("d", Int64(86400)), ("h", 3600), ("m", 60)] where seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}
