/// How long one loop's turns took: from the moment the kernel named what is ready until it is asked again. What else becomes ready
/// meanwhile waits for so long.
public struct TurnTimes: Sendable {
    /// Upper bounds of the turns' classes in seconds; a last class has what took longer.
    public static let bounds = [0.0001, 0.001, 0.005, 0.025, 0.1, 1]

    /// Turns by class.
    public var counts: [UInt64]
    /// The sum of their times in nanoseconds.
    public var nanoseconds: UInt64
    /// The longest of them in nanoseconds.
    public var longest: UInt64

    private static let sumAt = 7
    private static let longestAt = 8
    static let words = 9

    init(word: (Int) -> UInt64) {
        counts = (0..<Self.sumAt).map(word)
        nanoseconds = word(Self.sumAt)
        longest = word(Self.longestAt)
    }
}

/// What a loop measures its turns with.
struct TurnWatch {
    private let block: CounterBlocks.Block
    private var longest: UInt64 = 0

    init(_ block: CounterBlocks.Block) {
        self.block = block
    }

    /// A turn has ended.
    mutating func ended(after nanoseconds: UInt64) {
        TurnTimes.count(nanoseconds, in: block)
        guard nanoseconds > longest else { return }
        block.add(TurnTimes.longestWord, nanoseconds - longest)
        longest = nanoseconds
    }
}

extension TurnTimes {
    fileprivate static var longestWord: Int { longestAt }

    fileprivate static func count(_ nanoseconds: UInt64, in block: CounterBlocks.Block) {
        block.add(position(nanoseconds), 1)
        block.add(sumAt, nanoseconds)
    }

    /// The class by `bounds`; without the array, for this is done in each turn.
    private static func position(_ nanoseconds: UInt64) -> Int {
        switch nanoseconds {
        case ...100_000: 0
        case ...1_000_000: 1
        case ...5_000_000: 2
        case ...25_000_000: 3
        case ...100_000_000: 4
        case ...1_000_000_000: 5
        default: 6
        }
    }
}
