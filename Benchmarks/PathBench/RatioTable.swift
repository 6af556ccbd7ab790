import Foundation

/// The figures, in Mbit/s of payload, and how they compare.
struct RatioTable {
    /// The figures of one row.
    struct Line {
        let row: Row
        let way: Way
        let congestion: String
        var rates: [Setting: Double] = [:]

        /// What the row is measured against: the best link alone, for a good row the best of everything set by hand.
        var best: Double {
            let others = rates.filter { setting, _ in
                switch setting {
                case .braid: false
                case .single: true
                case .kernel, .tuned, .backup: row.kind == .good
                }
            }
            return others.values.max() ?? 0
        }

        func ratio(_ setting: Setting) -> Double? {
            guard best > 0, let rate = rates[setting] else { return nil }
            return rate / best
        }
    }

    /// What a row is to reach.
    static let goal = 0.95

    let settings: [Setting]
    /// The lines in which Braid does not reach the goal.
    private(set) var short: [String] = []
    private var lines: [Line] = []

    init(settings: [Setting]) { self.settings = settings }

    func printHead() {
        let columns = settings.map { pad($0.name, 22) }.joined()
        print(
            "Mbit/s of payload; in brackets: divided by the best link alone (bad rows), by the best of all (good rows)")
        print(pad("row", 26, left: false) + pad("way", 5) + pad("congestion", 12) + columns)
    }

    mutating func add(_ line: Line) {
        lines.append(line)
        let columns = settings.map { setting in
            let rate = line.rates[setting].map { String(format: "%.1f", $0) } ?? "–"
            let ratio = line.ratio(setting).map { String(format: " [%.2f]", $0) } ?? ""
            return pad(rate + ratio, 22)
        }
        var verdict = ""
        if let ratio = line.ratio(.braid) {
            verdict = ratio >= Self.goal ? "   met" : "   SHORT"
            if ratio < Self.goal { short.append("\(line.row.name) \(line.way.rawValue) \(line.congestion)") }
            if let kernel = line.rates[.kernel], kernel > 0, let own = line.rates[.braid] {
                verdict += String(format: ", %.2f of the kernel alone", own / kernel)
            }
        }
        print(
            pad(line.row.name, 26, left: false) + pad(line.way.rawValue, 5) + pad(line.congestion, 12)
                + columns.joined() + verdict)
        fflush(nil)
    }

    func printSummary() {
        for setting in [Setting.kernel, .braid] {
            let ratios = lines.compactMap { $0.ratio(setting) }
            guard !ratios.isEmpty else { continue }
            let met = ratios.count { $0 >= Self.goal }
            let least = String(format: "%.2f", ratios.min() ?? 0)
            print("\(setting.name): \(met) of \(ratios.count) rows at \(Self.goal) or more; the least \(least)")
        }
    }

    private func pad(_ text: String, _ width: Int, left: Bool = true) -> String {
        let space = String(repeating: " ", count: max(1, width - text.count))
        return left ? space + text : text + space
    }
}
