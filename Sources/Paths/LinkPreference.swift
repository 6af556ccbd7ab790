public import LinuxSystem

/// How relays use several links: `mode`.
public enum PathMode: Sendable, Hashable {
    /// All of them.
    case aggregate
    /// The first healthy one, moving on failure.
    case handover
    /// The one with the lowest latency, moving on delay.
    case interactive
}

/// Which one link is preferred, in the modes that use one at a time. The others stay ready as backup.
///
/// Pure: it is told of the links and what the time is.
public struct LinkPreference: Sendable {
    /// A link that may be chosen: up, and nobody wants it to be backup.
    public struct Candidate: Sendable, Hashable {
        /// The link's number.
        public var id: Int
        /// In microseconds, of late; 0 when it was never measured.
        public var roundTrip: UInt64

        /// A candidate of its parts.
        public init(id: Int, roundTrip: UInt64) {
            self.id = id
            self.roundTrip = roundTrip
        }
    }

    /// Another link has to be quicker than this part of the present one's time …
    static let quicker = 0.7
    /// … and by so many microseconds …
    static let quickerBy: UInt64 = 10_000
    /// … for so long.
    static let patience: UInt64 = 1_000_000_000
    /// After a move, the next one for delay has to wait so long.
    static let rest: UInt64 = 5_000_000_000

    /// The link chosen.
    public private(set) var chosen: Int?
    private var better: (id: Int, since: MonotonicTime)?
    private var moved = MonotonicTime(nanoseconds: 0)

    /// No choice yet.
    public init() {}

    /// When `choose` is to be called again although nothing was measured; `never` when all is settled.
    public var deadline: MonotonicTime { better.map { max($0.since + Self.patience, moved + Self.rest) } ?? .never }

    /// Chooses.
    ///
    /// - Parameters:
    ///   - mode: `.aggregate` chooses none.
    ///   - candidates: by priority.
    public mutating func choose(_ mode: PathMode, _ candidates: [Candidate], now: MonotonicTime) -> Int? {
        switch mode {
        case .aggregate: settle(on: nil)
        case .handover: settle(on: candidates.first?.id)
        case .interactive: chooseQuickest(candidates, now)
        }
        return chosen
    }

    /// Nothing is waited for, whatever was in another mode.
    private mutating func settle(on id: Int?) {
        chosen = id
        better = nil
    }

    private mutating func chooseQuickest(_ candidates: [Candidate], _ now: MonotonicTime) {
        // What was never measured is not known to be quick, but is better than nothing.
        let quickest = candidates.filter { $0.roundTrip > 0 }.min { $0.roundTrip < $1.roundTrip } ?? candidates.first
        guard let present = candidates.first(where: { $0.id == chosen }) else {
            // The chosen one has failed: at once to the next.
            chosen = quickest?.id
            moved = now
            better = nil
            return
        }
        guard let quickest, quickest.id != present.id, Self.isQuicker(quickest, than: present) else {
            better = nil
            return
        }
        let since = better.map { $0.id == quickest.id ? $0.since : now } ?? now
        better = (quickest.id, since)
        guard now.since(since) >= Self.patience, now.since(moved) >= Self.rest else { return }
        chosen = quickest.id
        moved = now
        better = nil
    }

    private static func isQuicker(_ one: Candidate, than other: Candidate) -> Bool {
        guard one.roundTrip > 0, other.roundTrip > 0 else { return false }
        return Double(one.roundTrip) < quicker * Double(other.roundTrip)
            && one.roundTrip + quickerBy < other.roundTrip
    }
}
