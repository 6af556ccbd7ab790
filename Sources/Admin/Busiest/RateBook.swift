internal import NIOCore

/// What each connection had carried when it was looked at before, so that its rate is known. Forgotten when nobody asks.
///
/// Belongs to the server's loop.
final class RateBook {
    /// How long a rate is measured at least.
    private static let shortest = TimeAmount.milliseconds(800)
    /// After that, what was noted is too old.
    static let longest = TimeAmount.seconds(20)

    private struct Note {
        let up: UInt64
        let down: UInt64
        let time: NIODeadline
        var rate: (up: Double, down: Double)
    }

    private var before: [UInt64: Note] = [:]
    private var now: [UInt64: Note] = [:]
    private(set) var lastPass = NIODeadline.now()

    /// Notes a connection, and answers its rate in bytes a second.
    func note(_ row: ConnectionView) -> (up: Double, down: Double) {
        let time = NIODeadline.now()
        guard let old = before[row.id] else {
            let age = max(row.ageSeconds, 0.5)
            // New since the last look: its average. When nothing was looked at before, nothing is known.
            let isNew = !before.isEmpty && row.ageSeconds < 20
            let rate = isNew ? (up: Double(row.bytesUp) / age, down: Double(row.bytesDown) / age) : (up: 0, down: 0)
            now[row.id] = Note(up: row.bytesUp, down: row.bytesDown, time: time, rate: rate)
            return rate
        }
        guard time - old.time >= Self.shortest else {
            now[row.id] = old
            return old.rate
        }
        let seconds = Double((time - old.time).nanoseconds) / 1e9
        let rate = (
            up: (Double(row.bytesUp &- old.up) / seconds).rounded(),
            down: (Double(row.bytesDown &- old.down) / seconds).rounded()
        )
        now[row.id] = Note(up: row.bytesUp, down: row.bytesDown, time: time, rate: rate)
        return rate
    }

    /// All connections were noted.
    func endPass() {
        before = now
        now = [:]
        lastPass = .now()
    }

    func forget() {
        before = [:]
        now = [:]
    }
}
