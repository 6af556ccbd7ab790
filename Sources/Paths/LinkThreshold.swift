public import LinuxSystem

/// `max-rtt` and `max-loss` of one link, with hysteresis: a link that exceeds one of them for a while becomes backup. It comes
/// back when it was seen well below for a while, or, since a backup link shows little, for a trial after a time that doubles
/// with each trial that fails.
///
/// Pure: it is told what was measured and what the time is.
public struct LinkThreshold: Sendable {
    /// Why a link exceeds its rules.
    public enum Reason: Sendable, Hashable, CustomStringConvertible {
        /// Microseconds.
        case roundTrip(UInt64, limit: UInt64)
        /// Fractions.
        case loss(Double, limit: Double)

        /// For people: `its round trip of 312.0 ms is above max-rtt (200.0 ms)`.
        public var description: String {
            switch self {
            case .roundTrip(let value, let limit):
                "its round trip of \(GuardReason.decimal(Double(value) / 1000)) ms is above max-rtt (\(GuardReason.decimal(Double(limit) / 1000)) ms)"
            case .loss(let value, let limit):
                "its loss of \(GuardReason.decimal(value * 100)) % is above max-loss (\(GuardReason.decimal(limit * 100)) %)"
            }
        }
    }

    /// How long it has to be exceeded, or kept, to count.
    static let patience: UInt64 = 2_000_000_000
    /// It is kept again when the figure is below this part of it.
    static let margin = 0.8
    static let firstBackoff: UInt64 = 30_000_000_000
    static let longestBackoff: UInt64 = 600_000_000_000
    /// A trial that lasted so long has succeeded.
    static let success: UInt64 = 60_000_000_000
    /// Fewer segments tell nothing of loss.
    static let segmentsToJudge: UInt64 = 100

    private let rules: LinkRules
    /// Why the link is backup; `nil` when it keeps its rules.
    public private(set) var reason: Reason?
    private var since: MonotonicTime?
    private var retry = MonotonicTime.never
    private var backoff = LinkThreshold.firstBackoff
    private var trialSince: MonotonicTime?
    private var segments: UInt64 = 0
    private var retransmits: UInt64 = 0
    private var loss: Double?

    /// - Parameter rules: what the link has to keep.
    public init(_ rules: LinkRules) { self.rules = rules }

    /// When `look` is to be called again although nothing was measured; `never` when the link keeps its rules.
    public var deadline: MonotonicTime { retry }

    /// Takes what was measured since the last time.
    ///
    /// - Parameters:
    ///   - roundTrip: in microseconds; `nil` when it was not measured anew.
    ///   - segments: sent.
    ///   - retransmits: of them sent again.
    ///   - now: the time.
    public mutating func take(roundTrip: UInt64?, segments: UInt64, retransmits: UInt64, now: MonotonicTime) {
        self.segments += segments
        self.retransmits += retransmits
        if self.segments >= Self.segmentsToJudge {
            loss = Double(self.retransmits) / Double(self.segments)
            self.segments = 0
            self.retransmits = 0
        }
        let exceeded = exceeded(roundTrip)
        if reason == nil {
            guard let exceeded else {
                if roundTrip != nil { since = nil }
                return
            }
            let began = since ?? now
            since = began
            if now.since(began) >= Self.patience { demote(exceeded, now) }
        } else if let roundTrip, isWellBelow(roundTrip) {
            let began = since ?? now
            since = began
            if now.since(began) >= Self.patience { promote(now) }
        } else if roundTrip != nil {
            since = nil
        }
    }

    /// Looks at the clock: whether it is time for a trial.
    public mutating func look(_ now: MonotonicTime) {
        guard reason != nil, retry <= now else { return }
        promote(now)
    }

    private func exceeded(_ roundTrip: UInt64?) -> Reason? {
        if let roundTrip, rules.maxRoundTrip > 0, roundTrip > rules.maxRoundTrip {
            return .roundTrip(roundTrip, limit: rules.maxRoundTrip)
        }
        if let loss, rules.maxLoss > 0, loss > rules.maxLoss { return .loss(loss, limit: rules.maxLoss) }
        return nil
    }

    private func isWellBelow(_ roundTrip: UInt64) -> Bool {
        // Loss is not seen on a link that carries nothing: only a trial shows it.
        guard case .roundTrip = reason else { return false }
        return Double(roundTrip) < Self.margin * Double(rules.maxRoundTrip)
    }

    private mutating func demote(_ why: Reason, _ now: MonotonicTime) {
        if let trialSince, now.since(trialSince) >= Self.success { backoff = Self.firstBackoff }
        reason = why
        since = nil
        retry = now + backoff
        backoff = min(backoff * 2, Self.longestBackoff)
        trialSince = nil
    }

    private mutating func promote(_ now: MonotonicTime) {
        reason = nil
        since = nil
        loss = nil
        retry = .never
        trialSince = now
    }
}
