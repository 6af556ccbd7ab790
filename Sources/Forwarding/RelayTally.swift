/// A relay's counters in one loop that change once a connection: how connections ended, how long they took to connect, how many
/// are open to each upstream.
public struct RelayTally: Sendable {
    /// Upper bounds of the connect times' classes in seconds; a last class has what took longer.
    public static let connectBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private static let boundsNanoseconds: [UInt64] = connectBounds.map { UInt64($0 * 1e9) }

    /// Connections that ended, by `ConnectionResult.rawValue`.
    public var results: [UInt64]
    /// Connections that ended, by `MultipathOutcome.rawValue`.
    public var outcomes: [UInt64]
    /// Connections that were connected, by class of the time from accepted to connected.
    public var connects: [UInt64]
    /// The sum of these times in nanoseconds.
    public var connectNanoseconds: UInt64
    /// Connections open now, by the upstream's index in the plan.
    public var upstreamOpen: [UInt64]

    /// Nothing was counted.
    public init() {
        self.init { _ in
            0
        } upstreams: {
            0
        }
    }

    private static let resultsAt = 0
    private static let outcomesAt = resultsAt + ConnectionResult.allCases.count
    private static let connectsAt = outcomesAt + MultipathOutcome.allCases.count
    private static let sumAt = connectsAt + connectBounds.count + 1
    private static let upstreamsAt = sumAt + 1

    static func count(upstreams: Int) -> Int { upstreamsAt + upstreams }

    init(word: (Int) -> UInt64, upstreams: () -> Int) {
        results = (Self.resultsAt..<Self.outcomesAt).map(word)
        outcomes = (Self.outcomesAt..<Self.connectsAt).map(word)
        connects = (Self.connectsAt..<Self.sumAt).map(word)
        connectNanoseconds = word(Self.sumAt)
        upstreamOpen = (0..<upstreams()).map { word(Self.upstreamsAt + $0) }
    }

    /// Adds another loop's.
    public mutating func add(_ other: RelayTally) {
        Self.add(other.results, to: &results)
        Self.add(other.outcomes, to: &outcomes)
        Self.add(other.connects, to: &connects)
        connectNanoseconds &+= other.connectNanoseconds
        Self.add(other.upstreamOpen, to: &upstreamOpen)
    }

    private static func add(_ other: [UInt64], to mine: inout [UInt64]) {
        while mine.count < other.count { mine.append(0) }
        for index in other.indices { mine[index] &+= other[index] }
    }

    // MARK: The loop's side

    /// A connection was connected to an upstream.
    static func connected(_ block: CounterBlocks.Block, upstream: Int, after nanoseconds: UInt64) {
        var position = 0
        while position < boundsNanoseconds.count, nanoseconds > boundsNanoseconds[position] { position += 1 }
        block.add(connectsAt + position, 1)
        block.add(sumAt, nanoseconds)
        if upstream >= 0, upstream < block.upstreams { block.add(upstreamsAt + upstream, 1) }
    }

    /// A connection ended.
    static func ended(_ block: CounterBlocks.Block, _ record: ConnectionRecord) {
        block.add(resultsAt + Int(record.result.rawValue), 1)
        block.add(outcomesAt + Int(record.multipath.rawValue), 1)
        if record.connectTime > 0, record.upstream >= 0, record.upstream < block.upstreams {
            block.add(upstreamsAt + record.upstream, UInt64(bitPattern: -1))
        }
    }
}
