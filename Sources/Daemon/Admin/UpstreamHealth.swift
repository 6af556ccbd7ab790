internal import Forwarding
internal import LinuxSystem

/// What connections tell of the health of a relay's upstreams, without any being asked: one that could not be reached is down until
/// one is connected to it again.
struct UpstreamHealth {
    private var failedAt: [MonotonicTime?]

    init(count: Int) {
        failedAt = Array(repeating: nil, count: count)
    }

    var isHealthy: [Bool] { failedAt.map { $0 == nil } }

    /// Takes an ended connection into account.
    ///
    /// - Returns: the upstreams that changed.
    mutating func note(_ record: ConnectionRecord, now: MonotonicTime) -> [Int] {
        // When it was decided: at the connection's end, or when it was connected, which may be long ago.
        let since = record.duration - min(record.duration, record.connectTime)
        switch record.result {
        case .connectFailed: return set(failedAt.indices, failed: true, at: now)
        default:
            guard record.connectTime > 0, failedAt.indices.contains(record.upstream) else { return [] }
            let decided = MonotonicTime(nanoseconds: now.nanoseconds - min(now.nanoseconds, since))
            return reached(record.upstream, at: decided)
        }
    }

    /// A connection to an upstream was made.
    ///
    /// - Returns: the upstreams that changed.
    mutating func reached(_ upstream: Int, at time: MonotonicTime) -> [Int] {
        guard failedAt.indices.contains(upstream), let failed = failedAt[upstream], time > failed else { return [] }
        return set(upstream..<(upstream + 1), failed: false, at: time)
    }

    private mutating func set(_ upstreams: Range<Int>, failed: Bool, at time: MonotonicTime) -> [Int] {
        var changed: [Int] = []
        for index in upstreams {
            if (failedAt[index] != nil) != failed { changed.append(index) }
            failedAt[index] = failed ? time : nil
        }
        return changed
    }
}
