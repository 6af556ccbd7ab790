import Foundation

/// The figures for people, and for programs.
struct Report {
    let works: [Work]
    let competitors: [Competitor]
    let results: Results
    let rounds: Int
    let conditions: String

    func printTables() {
        print(
            "\n\(conditions); medians of \(rounds) round\(rounds == 1 ? "" : "s"), in brackets Braid ÷ that competitor\n"
        )
        for competitor in competitors { print("  \(pad(competitor.name, 16))\(competitor.description)") }
        for work in works where !results.metrics(work).isEmpty {
            let metrics = results.metrics(work)
            print("\n\(pad(work.name, 28))" + metrics.map { pad($0.rawValue, 24, left: true) }.joined())
            for competitor in competitors {
                guard metrics.contains(where: { results.median(work, $0, competitor.name) != nil }) else { continue }
                print(
                    "  \(pad(competitor.name, 26))"
                        + metrics.map { pad(cell(work, $0, competitor), 24, left: true) }.joined())
            }
        }
        printGoals()
        if results.disturbance > Bench.disturbed {
            print(
                String(
                    format: "NOTE: others used up to %.0f %% of the machine meanwhile; repeat when it is quiet",
                    results.disturbance * 100))
        }
        for problem in results.problems { print("PROBLEM: \(problem)") }
    }

    private func cell(_ work: Work, _ metric: Metric, _ competitor: Competitor) -> String {
        guard let value = results.median(work, metric, competitor.name) else { return "–" }
        let name = competitor.role == .sealedPeer ? "braid-tls" : "braid"
        guard competitor.name != name, let braid = results.median(work, metric, name), value != 0 else {
            return number(value)
        }
        return "\(number(value)) [\(String(format: "%.2f", braid / value))]"
    }

    private func printGoals() {
        let verdicts = Verdict.all(works, competitors, results)
        guard !verdicts.isEmpty else { return }
        print("\n\(pad("goal", 28))\(pad("figure", 20))\(pad("Braid ÷", 36))\(pad("goal", 10))\(pad("reached", 10))")
        for verdict in verdicts {
            let peer = "\(verdict.peer) (\(verdict.goal.against.rawValue))"
            print(
                "  \(pad(verdict.work.name, 26))\(pad(verdict.goal.metric.rawValue, 20))\(pad(peer, 36))\(pad(verdict.goal.text, 10))"
                    + "\(pad(String(format: "%.2f ×", verdict.ratio), 10))\(verdict.isMet ? "met" : "SHORT")")
        }
        print("\n\(verdicts.count { $0.isMet }) of \(verdicts.count) goals met")
    }

    private func number(_ value: Double) -> String {
        switch abs(value) {
        case 1000...: String(format: "%.0f", value)
        case 10..<1000: String(format: "%.1f", value)
        default: String(format: "%.3f", value)
        }
    }

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let missing = max(0, width - text.count)
        let spaces = String(repeating: " ", count: missing)
        return left ? spaces + text : text + spaces
    }

    /// The same as JSON, with every round's value.
    func writeJSON(to file: URL) throws {
        let verdicts = Verdict.all(works, competitors, results)
        let proxies = competitors.filter { $0.role == .shipped || $0.role == .tuned }
        let document = Document(
            conditions: conditions, rounds: rounds,
            competitors: competitors.map { .init(name: $0.name, role: $0.role.rawValue, description: $0.description) },
            figures: works.flatMap { work in results.metrics(work).map { figure(work, $0, proxies, verdicts) } },
            disturbance: results.disturbance, problems: results.problems)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try encoder.encode(document).write(to: file)
    }

    private func figure(_ work: Work, _ metric: Metric, _ proxies: [Competitor], _ verdicts: [Verdict])
        -> Document.Figure
    {
        let rounds = results.values[work.name]?[metric] ?? [:]
        let braid = results.median(work, metric, "braid")
        let best = results.best(work, metric, proxies)
        return Document.Figure(
            work: work.name, metric: metric.rawValue, better: metric.higherIsBetter ? "higher" : "lower",
            rounds: rounds,
            median: competitors.reduce(into: [:]) { $0[$1.name] = results.median(work, metric, $1.name) },
            ratio: competitors.reduce(into: [:]) { ratios, competitor in
                guard let braid, let other = results.median(work, metric, competitor.name), other != 0 else { return }
                ratios[competitor.name] = braid / other
            },
            bestHAProxy: best?.name, ratioToBestHAProxy: best.flatMap { best in braid.map { $0 / best.value } },
            goals: verdicts.filter { $0.work.name == work.name && $0.goal.metric == metric }.map {
                .init(
                    against: $0.goal.against.rawValue, peer: $0.peer, goal: $0.goal.text, ratio: $0.ratio, met: $0.isMet
                )
            })
    }

    private struct Document: Encodable {
        struct Entry: Encodable { let name, role, description: String }
        struct Reached: Encodable {
            let against, peer, goal: String
            let ratio: Double
            let met: Bool
        }
        struct Figure: Encodable {
            let work, metric, better: String
            let rounds: [String: [Double]]
            let median, ratio: [String: Double]
            let bestHAProxy: String?
            let ratioToBestHAProxy: Double?
            let goals: [Reached]
        }
        let conditions: String
        let rounds: Int
        let competitors: [Entry]
        let figures: [Figure]
        let disturbance: Double
        let problems: [String]
    }
}
