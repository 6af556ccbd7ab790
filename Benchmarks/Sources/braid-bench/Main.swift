import ArgumentParser
import CBenchSystem
import Foundation

/// Braid's near and far end against others on the same work in the same run.
@main struct Main: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "braid-bench",
        abstract:
            "Measures near + far Braid beside near + far HAProxy and others, on loopback, in a network namespace of its own.",
        discussion: """
            HAPROXY=/path names an HAProxy with native MPTCP (mptcp4@ addresses); else Debian's runs under mptcpize.
            The scheduler places proxies, client and server, as it would a user's; --pinned gives both proxies one processor
            and the load another. Competitors take turns in every round.
            """)

    @Option(help: "Parts to run: bulk, rr, conn, idle.") var only = "bulk,rr,conn,idle"
    @Option(help: "Competitors to run, by name.") var competitors: String?
    @Option(help: "Rounds; medians are reported.") var rounds: Int?
    @Option(help: "How often a figure is measured at most, when other processes disturb it.") var tries = 3
    @Option(help: "Seconds that each figure is measured.") var seconds: Double?
    @Flag(help: "One short round: an impression in two minutes.") var quick = false
    @Flag(help: "Both proxies on one processor, client and server on another.") var pinned = false
    @Option(help: "The Braid to measure.") var braid = "../.build/release/braid"
    @Option(help: "Another Braid to compare with it.") var otherBraid: String?
    @Option(help: "Where the figures go, as JSON.") var json = "../out/bench.json"

    func run() throws {
        bench_print_by_line()
        let parts = try only.split(separator: ",").map { text in
            guard let part = Work.Part(rawValue: String(text)) else {
                throw ValidationError("no part is called \(text)")
            }
            return part
        }
        let descriptors = bench_raise_descriptor_limit(1_000_000)
        let (found, missing) = Competitors.all(
            braid: absolute(braid), otherBraid: otherBraid.map(absolute),
            haproxy: ProcessInfo.processInfo.environment["HAPROXY"].flatMap { $0.isEmpty ? nil : $0 },
            descriptors: descriptors)
        let chosen = try choose(found)
        for what in missing { print("not here: \(what)") }
        try prepareNamespace()

        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("braid-bench-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let several = ProcessInfo.processInfo.activeProcessorCount > 1
        let processors = pinned && several ? (proxies: 0, load: 1) : nil
        var bench = Bench(load: try loadProgram(), directory: directory, processors: processors)
        let works = Work.all(seconds: seconds ?? (quick ? 0.7 : 2), quick: quick).filter { parts.contains($0.part) }
        let count = rounds ?? (quick ? 1 : 3)
        var results = Results()
        for round in 1...max(1, count) {
            for work in works {
                try runRound(&bench, work, chosen, descriptors, &results, "round \(round)/\(count)")
            }
        }
        let place =
            processors == nil ? "placed by the scheduler" : "proxies on one processor, client and server on another"
        let kernel = Accounts.read("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
        let report = Report(
            works: works, competitors: chosen, results: results, rounds: max(1, count),
            conditions: "Linux \(kernel), \(ProcessInfo.processInfo.activeProcessorCount) processors, \(place)")
        report.printTables()
        try report.writeJSON(to: URL(fileURLWithPath: absolute(json)))
        print("\nwritten: \(absolute(json))")
    }

    private func runRound(
        _ bench: inout Bench, _ work: Work, _ competitors: [Competitor], _ descriptors: Int, _ results: inout Results,
        _ label: String
    ) throws {
        var baseline: [Metric: Double] = [:]
        if work.part == .idle {
            // What the client's and the server's own sockets cost is nobody's.
            let tcp = Competitor(name: "tcp", description: "", role: .direct, commands: { _ in [] }, direct: "tcp")
            baseline = try bench.run(work.fitting(tcp, descriptors: descriptors), through: tcp).figures
        }
        for competitor in competitors where work.part != .idle || competitor.direct == nil {
            do {
                var result = try bench.run(
                    work.fitting(competitor, descriptors: descriptors), through: competitor, tries: tries)
                for metric in [Metric.kernelBytes, .totalBytes, .availableBytes] where work.part == .idle {
                    let own = metric == .totalBytes ? baseline[.kernelBytes] : baseline[metric]
                    result.figures[metric] = (result.figures[metric] ?? 0) - (own ?? 0)
                }
                results.add(result.figures, work, competitor)
                results.add(disturbance: result.disturbance)
                let text = Metric.allCases.compactMap { metric in
                    result.figures[metric].map { String(format: "%@ %.4g", metric.rawValue, $0) }
                }
                let share = result.disturbance * 100
                let others = result.disturbance > Bench.disturbed ? String(format: ", others %.0f %%", share) : ""
                print("\(label)  \(work.name)  \(competitor.name):  \(text.joined(separator: ", "))\(others)")
                if result.failed > 0 {
                    results.add(
                        problem: "\(label) \(work.name) \(competitor.name): \(result.failed) connections failed")
                }
            } catch {
                print("\(label)  \(work.name)  \(competitor.name):  FAILED: \(error)")
                results.add(problem: "\(label) \(work.name) \(competitor.name): \(error)")
            }
        }
    }

    private func choose(_ found: [Competitor]) throws -> [Competitor] {
        guard let competitors else {
            return quick ? found.filter { $0.role != .other } : found
        }
        return try competitors.split(separator: ",").map { name in
            guard let competitor = found.first(where: { $0.name == name }) else {
                let names = found.map(\.name).joined(separator: ", ")
                throw ValidationError("no competitor here is called \(name); there are \(names)")
            }
            return competitor
        }
    }

    private func prepareNamespace() throws {
        let answer = bench_enter_namespace()
        guard answer == 0 else { throw BenchError("no network namespace: \(String(cString: strerror(-answer)))") }
        let settings = [
            "net/ipv4/ip_local_port_range": "10000 65535", "net/core/somaxconn": "65535", "net/ipv4/tcp_tw_reuse": "1",
            "net/ipv4/tcp_max_syn_backlog": "65535",
        ]
        for (name, value) in settings {
            let path = "/proc/sys/\(name)"
            guard let file = fopen(path, "w") else { throw BenchError("\(path): \(String(cString: strerror(errno)))") }
            fputs(value, file)
            fclose(file)
        }
    }

    private func loadProgram() throws -> String {
        let beside = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
            "braid-load")
        for path in [beside.path, "/proc/self/exe"] {
            let real = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? path
            let candidate =
                path == beside.path ? path : URL(fileURLWithPath: real).deletingLastPathComponent().path + "/braid-load"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw BenchError("braid-load is not beside braid-bench")
    }

    private func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
