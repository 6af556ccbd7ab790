internal import LinuxSystem

/// How many bytes were delivered when, over the last seconds: answers rates.
struct RateHistory: Sendable {
    private struct Point {
        var at: MonotonicTime
        var total: UInt64
    }

    /// How far back it knows.
    static let memory: UInt64 = 8_000_000_000
    private var points: [Point] = []
    private var total: UInt64 = 0

    /// Takes what was delivered up to a time.
    mutating func add(_ bytes: UInt64, at time: MonotonicTime, span: UInt64) {
        if points.isEmpty {
            points.append(
                Point(at: MonotonicTime(nanoseconds: time.nanoseconds &- min(span, time.nanoseconds)), total: total))
        }
        total &+= bytes
        if let last = points.last, last.at >= time {
            // Another loop's report of the same moment.
            points[points.count - 1].total = total
        } else {
            points.append(Point(at: time, total: total))
        }
        let oldest = time.nanoseconds > Self.memory ? time.nanoseconds - Self.memory : 0
        if points.count > 2, points[1].at.nanoseconds < oldest { points.removeFirst() }
    }

    /// Bytes a second between two times; `nil` when less than half of that time is known.
    func rate(from: MonotonicTime, to: MonotonicTime) -> Double? {
        guard let first = points.first, let last = points.last, to > from else { return nil }
        let begin = max(from, first.at)
        let end = min(to, last.at)
        let wanted = to.since(from)
        guard end > begin, end.since(begin) * 2 >= wanted else { return nil }
        return (value(at: end) - value(at: begin)) / (Double(end.since(begin)) / 1e9)
    }

    /// When the first and the last bytes known were delivered.
    var known: (from: MonotonicTime, to: MonotonicTime)? {
        guard let first = points.first, let last = points.last else { return nil }
        return (first.at, last.at)
    }

    mutating func clear() { points = [] }

    private func value(at time: MonotonicTime) -> Double {
        var before = points[0]
        for point in points {
            if point.at >= time {
                let span = Double(point.at.since(before.at))
                guard span > 0 else { return Double(point.total) }
                let part = Double(time.since(before.at)) / span
                return Double(before.total) + Double(point.total - before.total) * part
            }
            before = point
        }
        return Double(before.total)
    }
}
