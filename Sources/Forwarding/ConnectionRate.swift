internal import LinuxSystem
internal import Synchronization
internal import Wire

/// How many connections may begin in a second: each takes the next place in time, and waits for it (a virtual schedule, as
/// the generic cell rate algorithm of ITU-T I.371 has it). A tenth of a second's worth may come at once.
///
/// Shared by all loops of a relay; the lock is held for one look-up.
public final class ConnectionRate: Sendable {
    private let interval: UInt64
    private let tolerance: UInt64
    private let isPerClient: Bool
    private let schedule = Mutex(ClientSchedule())

    /// - Parameters:
    ///   - perSecond: connections a second, above 0.
    ///   - isPerClient: each client has a rate of its own, rather than all together.
    public init(perSecond: Double, isPerClient: Bool) {
        interval = UInt64(max(1, 1e9 / max(perSecond, 1e-6)))
        tolerance = max(100_000_000, interval) - interval
        self.isPerClient = isPerClient
    }

    /// Takes the next place.
    ///
    /// - Parameters:
    ///   - client: who comes; all of an IPv6 /64 count as one.
    ///   - patience: how long it may wait, in nanoseconds.
    /// - Returns: when it may begin, or `nil` when that is too far off; then no place is taken.
    func reserve(for client: SocketAddress, now: MonotonicTime, patience: UInt64) -> MonotonicTime? {
        let key = isPerClient ? ClientKey(client) : .everyone
        return schedule.withLock { schedule in
            let oldest = now.nanoseconds - min(now.nanoseconds, tolerance)
            let start = max(schedule.next(key), oldest)
            if start > now.nanoseconds, start - now.nanoseconds > patience { return nil }
            schedule.set(key, start + interval, oldest: oldest)
            return MonotonicTime(nanoseconds: max(start, now.nanoseconds))
        }
    }
}

/// Whose limit it is.
enum ClientKey: Hashable {
    case everyone
    case ipv4(UInt32)
    /// The first 64 bits: a site's hosts choose the others as they like.
    case ipv6(UInt64)

    init(_ address: SocketAddress) {
        switch address.endpoint?.address {
        case .ipv4(let bits): self = .ipv4(bits)
        case .ipv6(let bits): self = .ipv6(UInt64(truncatingIfNeeded: bits >> 64))
        case nil: self = .everyone
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
