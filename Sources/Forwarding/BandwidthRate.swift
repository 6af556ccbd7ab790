internal import LinuxSystem
internal import Synchronization

/// How much may be moved in a second, in each direction by itself: a reader reserves a piece of the time to come, and reads
/// when its turn is there. Whoever wants to read takes one piece at a time, so that busy connections get equal shares.
///
/// Shared by all loops of a relay; the lock is held for one look-up.
public final class BandwidthRate: Sendable {
    /// What one turn may read, in bytes.
    let quantum: Int
    private let nanosecondsPerByte: Double
    private let isPerClient: Bool
    private let up = Mutex(ClientSchedule())
    private let down = Mutex(ClientSchedule())

    /// - Parameters:
    ///   - bitsPerSecond: above 0.
    ///   - isPerClient: each client has a rate of its own, rather than all together.
    public init(bitsPerSecond: Int, isPerClient: Bool) {
        nanosecondsPerByte = 8e9 / Double(max(1, bitsPerSecond))
        // Ten milliseconds' worth.
        quantum = min(Tuning.scratchSize, max(2048, bitsPerSecond / 8 / 100))
        self.isPerClient = isPerClient
    }

    private var piece: UInt64 { UInt64(Double(quantum) * nanosecondsPerByte) }

    /// Takes the next piece of time, for `quantum` bytes.
    ///
    /// - Returns: when it may be read.
    func reserve(_ key: ClientKey, isUp: Bool, now: MonotonicTime) -> MonotonicTime {
        let key = isPerClient ? key : .everyone
        let piece = self.piece
        // Timers are late by up to two ticks (8 ms): what was missed meanwhile may be made up for.
        let oldest = now.nanoseconds - min(now.nanoseconds, Tuning.bandwidthTolerance)
        let take = { (schedule: inout ClientSchedule) -> UInt64 in
            let start = max(schedule.next(key), oldest)
            schedule.set(key, start + piece, oldest: oldest)
            return start
        }
        let start = isUp ? up.withLock { take(&$0) } : down.withLock { take(&$0) }
        return MonotonicTime(nanoseconds: start)
    }

    /// Gives back what of a piece was not used; `bytes` below 0 takes more.
    func giveBack(_ key: ClientKey, isUp: Bool, bytes: Int, now: MonotonicTime) {
        let key = isPerClient ? key : .everyone
        let time = Int64(Double(bytes) * nanosecondsPerByte)
        let oldest = now.nanoseconds - min(now.nanoseconds, Tuning.bandwidthTolerance)
        let give = { (schedule: inout ClientSchedule) in
            let next = Int64(clamping: schedule.next(key)) - time
            schedule.set(key, UInt64(max(0, next)), oldest: oldest)
        }
        if isUp { up.withLock { give(&$0) } } else { down.withLock { give(&$0) } }
    }
}
