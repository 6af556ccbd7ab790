/// Why the guard made a link backup, with the figures. Rates are in bytes a second.
public enum GuardReason: Sendable, Hashable, CustomStringConvertible {
    /// It is left for a moment, to see how the whole does without it.
    case trial(with: Double)
    /// The whole was slower with it than without.
    case slower(with: Double, without: Double)
    /// Its round trips are far longer than the best link's, and it carries little. In seconds.
    case roundTrip(Double, best: Double)
    /// It loses too much for a congestion control that takes losses for congestion.
    case loss(Double)
    /// What is on its way over it takes so long to arrive, in seconds, and all that comes later waits for that.
    case waiting(Double)
    /// The receiver's window, which is full of what came over other links, keeps it from sending for this part of the time.
    case window(Double)

    /// For people: `slower with it: 21.3 Mbit/s, without 47.0`.
    public var description: String {
        switch self {
        case .trial(let with): "tried without it: \(Self.megabits(with)) Mbit/s with it"
        case .slower(let with, let without):
            "slower with it: \(Self.megabits(with)) Mbit/s, \(Self.megabits(without)) without"
        case .roundTrip(let roundTrip, let best):
            "its round trip is \(Self.milliseconds(roundTrip)) ms, the best link's \(Self.milliseconds(best)) ms"
        case .loss(let loss): "it loses \(Self.decimal(loss * 100)) % of what is sent"
        case .waiting(let delay): "what is on its way over it takes \(Self.milliseconds(delay)) ms to arrive"
        case .window(let part): "the receiver's window keeps it from sending \(Self.decimal(part * 100)) % of the time"
        }
    }

    static func megabits(_ rate: Double) -> String { decimal(rate * 8 / 1e6) }
    static func milliseconds(_ seconds: Double) -> String { decimal(seconds * 1000) }

    /// With one decimal.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((min(max(value, 0), 1e12) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// What the guard decided about a link.
public struct GuardDecision: Sendable, Hashable {
    /// The link's number.
    public var link: Int
    /// Backup for this reason, or `nil`: primary again.
    public var reason: GuardReason?
    /// Why it is primary again, or how long it stays backup.
    public var note: String
}
