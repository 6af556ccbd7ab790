import Foundation

/// Everything measured: for each work, metric and competitor one value a round.
struct Results {
    private(set) var values: [String: [Metric: [String: [Double]]]] = [:]
    private(set) var problems: [String] = []

    mutating func add(_ figures: [Metric: Double], _ work: Work, _ competitor: Competitor) {
        for (metric, value) in figures where value.isFinite {
            values[work.name, default: [:]][metric, default: [:]][competitor.name, default: []].append(value)
        }
    }

    /// The largest share of the machine that others used during a measurement.
    private(set) var disturbance = 0.0

    mutating func add(disturbance share: Double) { disturbance = max(disturbance, share) }

    mutating func add(problem: String) { problems.append(problem) }

    func median(_ work: Work, _ metric: Metric, _ competitor: String) -> Double? {
        guard let all = values[work.name]?[metric]?[competitor], !all.isEmpty else { return nil }
        let sorted = all.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The competitor with the best median among these.
    func best(_ work: Work, _ metric: Metric, _ competitors: [Competitor]) -> (name: String, value: Double)? {
        let medians = competitors.compactMap { competitor in
            median(work, metric, competitor.name).map { (name: competitor.name, value: $0) }
        }
        return medians.max { metric.higherIsBetter ? $0.value < $1.value : $0.value > $1.value }
    }

    func metrics(_ work: Work) -> [Metric] {
        Metric.allCases.filter { values[work.name]?[$0] != nil }
    }
}
