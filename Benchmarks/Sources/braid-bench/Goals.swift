/// A goal of the project for one figure: Braid's median divided by that of others.
struct Goal {
    enum Against: String { case shipped = "HAProxy as shipped", best = "HAProxy's best", tls = "HAProxy's TLS" }

    let against: Against
    let metric: Metric
    let bound: Double

    /// The goals of a work.
    static func of(_ work: Work) -> [Goal] {
        switch work.part {
        case .bulk:
            [
                Goal(against: .shipped, metric: .gigabytesPerSecond, bound: 2.5),
                Goal(against: .shipped, metric: .proxySecondsPerGigabyte, bound: 0.4),
                Goal(against: .best, metric: .gigabytesPerSecond, bound: 1.1),
                Goal(against: .best, metric: .proxySecondsPerGigabyte, bound: 0.9),
                Goal(against: .tls, metric: .gigabytesPerSecond, bound: 0.9),
            ]
        case .rr:
            switch work.connections {
            case 100:
                [Goal(against: .best, metric: .perSecond, bound: 1.2), Goal(against: .best, metric: .p99, bound: 1)]
            case 1000:
                [Goal(against: .best, metric: .perSecond, bound: 1.4), Goal(against: .best, metric: .p99, bound: 1)]
            default: []
            }
        case .conn:
            [
                Goal(against: .best, metric: .perSecond, bound: 1.15),
                Goal(against: .best, metric: .proxyMicroseconds, bound: 0.85),
            ]
        case .idle:
            // The kernel's part is the same for everyone and most of the whole; so the proxies' own counts as well.
            [
                Goal(against: .best, metric: .totalBytes, bound: 0.5),
                Goal(against: .best, metric: .userBytes, bound: 0.5),
            ]
        }
    }

    var text: String { "\(metric.higherIsBetter ? "≥" : "≤") \(bound) ×" }

    func isMet(_ ratio: Double) -> Bool { metric.higherIsBetter ? ratio >= bound : ratio <= bound }
}

/// A goal and what was reached.
struct Verdict {
    let work: Work
    let goal: Goal
    /// Whom Braid is compared with.
    let peer: String
    let ratio: Double

    var isMet: Bool { goal.isMet(ratio) }

    static func all(_ works: [Work], _ competitors: [Competitor], _ results: Results) -> [Verdict] {
        let shipped = competitors.filter { $0.role == .shipped }
        let proxies = competitors.filter { $0.role == .shipped || $0.role == .tuned }
        let sealed = competitors.filter { $0.role == .sealedPeer }
        return works.flatMap { work in
            Goal.of(work).compactMap { goal in
                let peers = goal.against == .tls ? sealed : goal.against == .shipped ? shipped : proxies
                let name = goal.against == .tls ? "braid-tls" : "braid"
                guard let ours = results.median(work, goal.metric, name),
                    let peer = results.best(work, goal.metric, peers)
                else { return nil }
                return Verdict(work: work, goal: goal, peer: peer.name, ratio: ours / peer.value)
            }
        }
    }
}
