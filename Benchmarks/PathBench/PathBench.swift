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
            the start on. Needs root, or unshare -Urn.
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
        if list {
            for name in rows.map(\.name) + failovers.map(\.name) { print(name) }
            return
        }
        guard !rows.isEmpty || !failovers.isEmpty else {
            throw ValidationError("no row is called so; --list shows them")
        }
        let settings = settings.split(separator: ",").compactMap { Setting(String($0)) }
        let ways = way == "both" ? Way.allCases : [Way(rawValue: way) ?? .down]
        let congestions = congestion.isEmpty ? ["cubic", "bbr"] : congestion
        if !rows.isEmpty { try await aggregate(rows, ways, congestions, settings) }
        if !failovers.isEmpty { try await fail(failovers, congestions) }
    }

    private func fail(_ failovers: [Failover], _ congestions: [String]) async throws {
        print(
            "Milliseconds: the worst round trip (ping), the longest time without a byte (bulk), after a fault of link 1 or 2"
        )
        for failover in failovers {
            for congestion in congestions {
                let kernel = try await median {
                    try await failover.measure(.kernel, congestion: congestion, braid: braid)
                }
                let own = try await median { try await failover.measure(.braid, congestion: congestion, braid: braid) }
                print(
                    failover.name.padding(toLength: 30, withPad: " ", startingAt: 0),
                    congestion.padding(toLength: 8, withPad: " ", startingAt: 0),
                    String(
                        format: "kernel alone %6.0f   braid %6.0f [%.2f]", kernel * 1000, own * 1000, own / kernel))
                fflush(nil)
            }
        }
    }

    private func median(_ measure: () async throws -> Double) async throws -> Double {
        var values: [Double] = []
        for _ in 0..<rounds { values.append(try await measure()) }
        return values.sorted()[values.count / 2]
    }

    private func aggregate(
        _ rows: [Row], _ ways: [Way], _ congestions: [String], _ settings: [Setting]
    ) async throws {
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
    }

    private func measure(_ row: Row, _ way: Way, _ congestion: String, _ settings: [Setting]) async throws
        -> RatioTable.Line
    {
        var line = RatioTable.Line(row: row, way: way, congestion: congestion)
        for setting in settings {
            var rates: [Double] = []
            for _ in 0..<rounds {
                let scene = Scene(
                    row: row, setting: setting, way: way, congestion: congestion, seconds: seconds, braid: braid,
                    verbose: verbose)
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
