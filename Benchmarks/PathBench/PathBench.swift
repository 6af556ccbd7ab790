import ArgumentParser
import Foundation
import Lab

/// What several links together carry: the best link alone, the kernel alone, and Braid, side by side.
@main
struct PathBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "braid-path-bench",
        abstract: "Measures bulk transfers over two emulated links: one link alone, the kernel's MPTCP, Braid.",
        discussion: """
            Good rows are compared with the best hand-tuned setting, bad rows with the best link alone, from 5 s after \
            the start on; failures with what the kernel alone makes of them. The exit status is 1 when a goal is missed. \
            Needs root, or unshare -Urn.
            """)

    @Option(help: "Only rows whose name contains this; may be given again. --list shows them.")
    var row: [String] = []

    @Option(help: "up, down or both: which way the bytes go.")
    var way = "down"

    @Option(help: "Congestion control of both systems; may be given again.")
    var congestion: [String] = []

    @Option(help: "What to measure: single, single2, kernel, tuned, backup, braid, with commas between.")
    var settings = "single,single2,kernel,tuned,braid"

    @Option(help: "Seconds of each measurement.")
    var seconds = 8.0

    @Option(help: "Where what counts begins: seconds from the start.")
    var from = 5.0

    @Option(help: "How often each measurement is made; the median counts.")
    var rounds = 1

    @Option(help: "The program.")
    var braid = ".build/release/braid"

    @Option(help: "The link that bad rows begin on: 1 or 2.")
    var first = 1

    @Option(help: "A kernel setting of both hosts, NAME=VALUE; may be given again.")
    var sysctl: [String] = []

    @Flag(help: "List the rows.")
    var list = false

    @Flag(help: "Show what each half second carried, and Braid's log.")
    var verbose = false

    func validate() throws {
        guard seconds > from else { throw ValidationError("--seconds must be more than --from (\(from))") }
        for word in settings.split(separator: ",") where Setting(String(word)) == nil {
            throw ValidationError("no setting is called \(word)")
        }
        guard way == "both" || Way(rawValue: way) != nil else { throw ValidationError("--way takes up, down, both") }
    }

    func run() async throws {
        let rows = Row.all.map { $0.kind == .bad && first == 2 ? $0.begunOnSecond : $0 }
            .filter { candidate in row.isEmpty || row.contains { candidate.name.contains($0) } }
        let failovers = Failover.all.filter { candidate in row.isEmpty || row.contains { candidate.name.contains($0) } }
        let others = Quiet.allCases.filter { candidate in
            row.isEmpty || row.contains { candidate.rawValue.contains($0) }
        }
        if list {
            for name in rows.map(\.name) + failovers.map(\.name) + others.map(\.rawValue) { print(name) }
            return
        }
        guard !rows.isEmpty || !failovers.isEmpty || !others.isEmpty else {
            throw ValidationError("no row is called so; --list shows them")
        }
        let settings = settings.split(separator: ",").compactMap { Setting(String($0)) }
        let ways = way == "both" ? Way.allCases : [Way(rawValue: way) ?? .down]
        let congestions = congestion.isEmpty ? ["cubic", "bbr"] : congestion
        var short: [String] = []
        if !rows.isEmpty { short += try await aggregate(rows, ways, congestions, settings) }
        if !failovers.isEmpty || !others.isEmpty { short += try await events(failovers, others, congestions) }
        guard short.isEmpty else {
            print("short of the goal: \(short.joined(separator: ", "))")
            throw ExitCode(1)
        }
    }

    /// - Returns: the rows that are short of their goal.
    private func events(
        _ failovers: [Failover], _ others: [Quiet], _ congestions: [String]
    ) async throws -> [String] {
        var table = EventTable()
        table.printHead()
        for failover in failovers {
            for congestion in congestions {
                let kernel = try await median {
                    try await failover.measure(.kernel, congestion: congestion, bench: self)
                }
                let own = try await median { try await failover.measure(.braid, congestion: congestion, bench: self) }
                table.add(failover.name, congestion, kernel: kernel, own: own, failover.goal)
            }
        }
        for other in others {
            let own = try await median { try await other.measure(congestion: congestions[0], bench: self) }
            table.add(other.rawValue, congestions[0], kernel: nil, own: own, other.goal)
        }
        table.printSummary()
        return table.short
    }

    private func median(_ measure: () async throws -> Double) async throws -> Double {
        var values: [Double] = []
        for _ in 0..<rounds { values.append(try await measure()) }
        return values.sorted()[values.count / 2]
    }

    private func aggregate(
        _ rows: [Row], _ ways: [Way], _ congestions: [String], _ settings: [Setting]
    ) async throws -> [String] {
        var table = RatioTable(settings: settings)
        table.printHead()
        for row in rows {
            for way in ways {
                for congestion in congestions {
                    let line = try await measure(row, way, congestion, settings)
                    table.add(line)
                }
            }
        }
        table.printSummary()
        return table.short
    }

    private func measure(_ row: Row, _ way: Way, _ congestion: String, _ settings: [Setting]) async throws
        -> RatioTable.Line
    {
        var line = RatioTable.Line(row: row, way: way, congestion: congestion)
        for setting in settings {
            var rates: [Double] = []
            for _ in 0..<rounds {
                let scene = Scene(
                    row: row, setting: setting, way: way, congestion: congestion, seconds: seconds, bench: self)
                let seen = try await scene.measure()
                rates.append(seen.rate(from: from, to: seconds))
                if verbose { show(setting, seen) }
            }
            line.rates[setting] = rates.sorted()[rates.count / 2]
        }
        return line
    }

    private func show(_ setting: Setting, _ seen: Arrivals) {
        let halves = stride(from: 0, to: seconds, by: 0.5).map {
            String(format: "%.0f", seen.rate(from: $0, to: $0 + 0.5))
        }
        FileHandle.standardError.write(Data("    \(setting.name): \(halves.joined(separator: " "))\n".utf8))
    }
}
