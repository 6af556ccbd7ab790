/// Round-trip times and what is said about them.
public struct RoundTripStatistics: Sendable {
    private var nanoseconds: [UInt64] = []

    /// None yet.
    public init() {}

    /// Takes one more, in nanoseconds.
    public mutating func add(nanoseconds time: UInt64) {
        nanoseconds.append(time)
    }

    /// How many there are.
    public var count: Int { nanoseconds.count }

    /// Minimum, mean, 99th percentile (the nearest rank) and maximum, in nanoseconds; `nil` without any.
    public var summary: Summary? {
        let sorted = nanoseconds.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        let rank = (sorted.count * 99 + 99) / 100
        let total = sorted.reduce(0.0) { $0 + Double($1) }
        return Summary(
            minimum: first, mean: UInt64(total / Double(sorted.count)), percentile99: sorted[rank - 1], maximum: last)
    }

    /// The four numbers, in nanoseconds.
    public struct Summary: Sendable, Hashable {
        /// The shortest.
        public let minimum: UInt64
        /// The mean.
        public let mean: UInt64
        /// Ninety-nine of a hundred were no longer.
        public let percentile99: UInt64
        /// The longest.
        public let maximum: UInt64
    }
}

extension UInt64 {
    /// Nanoseconds as milliseconds with three decimals: `12.345`.
    var asMilliseconds: String {
        let microseconds = self / 1000
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
