internal import LinuxSystem
internal import Synchronization

/// How many connections may begin in a second: each takes the next place in time, and waits for it (a virtual schedule, as
/// the generic cell rate algorithm of ITU-T I.371 has it). A tenth of a second's worth may come at once.
///
/// Shared by all loops of a relay, and handed on over a reload; the lock is held for one look-up.
public final class ConnectionRate: Sendable {
    /// Each client has a rate of its own, rather than all together.
    public let isPerClient: Bool
    private let state: Mutex<State>

    private struct State {
        var interval: UInt64
        var tolerance: UInt64
        var schedule = ClientSchedule()

        init(perSecond: Double) {
            interval = UInt64(max(1, 1e9 / max(perSecond, 1e-6)))
            tolerance = max(100_000_000, interval) - interval
        }
    }

    /// - Parameters:
    ///   - perSecond: connections a second, above 0.
    ///   - isPerClient: each client has a rate of its own, rather than all together.
    public init(perSecond: Double, isPerClient: Bool) {
        state = Mutex(State(perSecond: perSecond))
        self.isPerClient = isPerClient
    }

    /// Changes the rate; the places that were taken stay taken.
    public func setRate(perSecond: Double) {
        let new = State(perSecond: perSecond)
        state.withLock { state in
            state.interval = new.interval
            state.tolerance = new.tolerance
        }
    }

    /// Takes the next place.
    ///
    /// - Parameters:
    ///   - client: who comes; all of an IPv6 /64 count as one.
    ///   - patience: how long it may wait, in nanoseconds.
    /// - Returns: when it may begin, or `nil` when that is too far off; then no place is taken.
    func reserve(for client: SocketAddress, now: MonotonicTime, patience: UInt64) -> MonotonicTime? {
        let key = isPerClient ? ClientKey(client) : .everyone
        return state.withLock { state in
            let oldest = now.nanoseconds - min(now.nanoseconds, state.tolerance)
            let start = max(state.schedule.next(key), oldest)
            if start > now.nanoseconds, start - now.nanoseconds > patience { return nil }
            state.schedule.set(key, start + state.interval, oldest: oldest)
            return MonotonicTime(nanoseconds: max(start, now.nanoseconds))
        }
    }
}

/// When each client's next turn is. Clients whose time has passed are forgotten now and then.
struct ClientSchedule {
    private var turns: [ClientKey: UInt64] = [:]
    private var sweepAt = 1024

    func next(_ key: ClientKey) -> UInt64 { turns[key] ?? 0 }

    mutating func set(_ key: ClientKey, _ turn: UInt64, oldest: UInt64) {
        turns[key] = turn
        guard turns.count >= sweepAt else { return }
        turns = turns.filter { $0.value > oldest }
        sweepAt = max(1024, turns.count * 2)
    }
}
