internal import NIOCore
internal import NIOHTTP1

/// Chooses the busiest connections from a list that comes in slices, keeping few.
///
/// Belongs to the server's loop.
final class BusiestCollection {
    let query: BusiestQuery
    private let rates: RateBook
    private var view = BusiestView()
    private var reasons: [String: Int] = [:]
    private(set) var answer: CompleteAnswer?
    private var waiting: [Reply] = []
    let began: NIODeadline

    init(_ query: BusiestQuery, rates: RateBook, began: NIODeadline) {
        self.query = query
        self.rates = rates
        self.began = began
    }

    /// Answers now, or when it is complete.
    func serve(_ reply: Reply) {
        if let answer { reply.send(answer) } else { waiting.append(reply) }
    }

    func take(_ rows: [ConnectionView], isLast: Bool) {
        guard answer == nil else { return }
        for row in rows {
            view.total += 1
            if row.multipath == "yes" { view.multipath += 1 }
            if row.multipath == "fallback" {
                view.fallback += 1
                reasons[row.reason ?? "unknown", default: 0] += 1
            }
            let rate = rates.note(row)
            guard query.matches(row) else { continue }
            view.matching += 1
            var busy = BusyConnectionView(row)
            busy.rateUp = rate.up
            busy.rateDown = rate.down
            view.connections.append(busy)
        }
        if view.connections.count > query.limit * 4 { cut() }
        if isLast { complete() }
    }

    func fail() {
        guard answer == nil else { return }
        finish(.error(.serviceUnavailable, "the event loops do not answer"))
    }

    private func complete() {
        rates.endPass()
        cut()
        view.reasons =
            reasons.map { reason, count in
                var view = ReasonView()
                view.reason = reason
                view.count = count
                return view
            }.sorted { $0.count > $1.count }
        finish(.json(view))
    }

    private func finish(_ answer: CompleteAnswer) {
        self.answer = answer
        for reply in waiting { reply.send(answer) }
        waiting = []
    }

    private func cut() {
        func key(_ row: BusyConnectionView) -> Double {
            switch query.order {
            case .rate: row.rateUp + row.rateDown
            case .bytes: Double(row.connection.bytesUp) + Double(row.connection.bytesDown)
            case .age: row.connection.ageSeconds
            case .id: -Double(row.connection.id)
            }
        }
        // Among equals the newest first, so that an idle list stands still.
        view.connections.sort { left, right in
            let (first, second) = (key(left), key(right))
            return first == second ? left.connection.id > right.connection.id : first > second
        }
        if view.connections.count > query.limit { view.connections.removeLast(view.connections.count - query.limit) }
    }
}
