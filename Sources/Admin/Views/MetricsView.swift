/// What `GET /metrics` is made of.
public struct MetricsView: Sendable {
    /// Relays, links and counters.
    public var status = StatusView()
    /// What else is counted of each relay.
    public var relays: [RelayMetrics] = []
    /// Subflows that were left because their link failed, by the link's name.
    public var failovers: [(link: String, count: UInt64)] = []
    /// The event loops, in order.
    public var loops: [LoopMetrics] = []
    /// Reloads that took the new configuration.
    public var reloadsGood: UInt64 = 0
    /// Reloads whose configuration was wrong.
    public var reloadsFailed: UInt64 = 0

    /// Nothing was counted.
    public init() {}
}

/// How long an event loop's turns took.
public struct LoopMetrics: Sendable {
    /// Upper bounds in seconds of the classes of `turns`.
    public var bounds: [Double]
    /// Turns by how long they took; the last class has no bound.
    public var turns: [UInt64]
    /// The sum of these times.
    public var seconds: Double
    /// The longest of them.
    public var longestSeconds: Double

    /// What a loop has measured.
    public init(bounds: [Double], turns: [UInt64], seconds: Double, longestSeconds: Double) {
        self.bounds = bounds
        self.turns = turns
        self.seconds = seconds
        self.longestSeconds = longestSeconds
    }
}

/// What is counted of a relay besides what ``RelayView`` has.
public struct RelayMetrics: Sendable {
    /// The relay's name.
    public var name: String
    /// Connections that ended, by the word of their result.
    public var results: [(word: String, count: UInt64)] = []
    /// Connections that ended, by `yes`, `fallback`, `no`.
    public var outcomes: [(word: String, count: UInt64)] = []
    /// Upper bounds in seconds of the classes of `connects`.
    public var connectBounds: [Double] = []
    /// Connections by how long connecting took; the last class has no bound.
    public var connects: [UInt64] = []
    /// The sum of these times.
    public var connectSeconds = 0.0

    /// A relay of which nothing was counted.
    public init(name: String) {
        self.name = name
    }
}
