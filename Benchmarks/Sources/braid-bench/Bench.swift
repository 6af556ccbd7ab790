import CBenchSystem
import Foundation

/// Runs one work through one competitor.
struct Bench {
    let load: String
    let directory: URL
    /// The processor for the proxies and the one for the load; `nil`: any.
    let processors: (proxies: Int, load: Int)?
    var ports = 2000

    struct Result {
        var figures: [Metric: Double] = [:]
        var failed = 0
        /// The share of the machine that processes with no part in it used meanwhile, 0 to 1.
        var disturbance = 0.0
    }

    /// What the load says at its end.
    private struct Said: Decodable {
        let seconds: Double
        let bytes: Double
        let done: Double
        let failed: Int
        let p50: Double
        let p99: Double
    }

    /// Measures again when other processes disturbed it, at most `tries` times; answers the least disturbed.
    mutating func run(_ work: Work, through competitor: Competitor, tries: Int) throws -> Result {
        var best = try run(work, through: competitor)
        for _ in 1..<max(1, tries) where best.disturbance > Self.disturbed {
            let again = try run(work, through: competitor)
            if again.disturbance < best.disturbance { best = again }
        }
        return best
    }

    /// The share of the machine that others may use before a figure is doubted.
    static let disturbed = 0.05

    mutating func run(_ work: Work, through competitor: Competitor) throws -> Result {
        // Ports of their own for each run, so that nothing left behind by the one before is met.
        let chain = Chain(near: ports, far: ports + 1, server: ports + 2, directory: directory)
        ports = ports >= 9900 ? 2000 : ports + 3
        let proxies = try start(competitor, chain)
        defer { for proxy in proxies.reversed() { proxy.end() } }
        let multipath = Accounts.multipathAccepted()
        let result = try measure(work, competitor, chain, proxies)
        let accepted = Accounts.multipathAccepted() - multipath
        // The load counts connections, which a kind of work makes at least so many of.
        if competitor.direct != "tcp", accepted < work.connections {
            throw BenchError("only \(accepted) of \(work.connections) connections were multipath")
        }
        if let gone = proxies.first(where: \.hasEnded) { throw BenchError("a proxy ended\(gone.said)") }
        return result
    }

    private func start(_ competitor: Competitor, _ chain: Chain) throws -> [Child] {
        let commands = try competitor.commands(chain)
        let proxies = try zip(commands, ["near.log", "far.log"]).map { words, log in
            try Child(words, cpu: processors?.proxies, errors: directory.appendingPathComponent(log))
        }
        let deadline = Date().addingTimeInterval(10)
        for (proxy, port) in zip(proxies, [chain.near, chain.far]) {
            while !Accounts.isListening(port) {
                if proxy.hasEnded || Date() > deadline {
                    throw BenchError("it does not listen at \(port)\(proxy.said)")
                }
                usleep(5000)
            }
        }
        return proxies
    }

    private func measure(_ work: Work, _ competitor: Competitor, _ chain: Chain, _ proxies: [Child]) throws -> Result {
        let server = competitor.direct ?? "tcp"
        let front = competitor.direct.map { "\($0):127.0.0.1:\(chain.server)" } ?? "tcp:127.0.0.1:\(chain.near)"
        let words = [
            load, work.kind, "\(server):127.0.0.1:\(chain.server)", front, "\(work.connections)", "\(work.size)",
            "\(work.warmUp)", "\(work.seconds)",
        ]
        let before = Memory(proxies)
        let client = try Child(
            words, cpu: processors?.load, talks: true, errors: directory.appendingPathComponent("load.log"))
        defer { client.end() }
        guard try client.readLine(within: 60) == "begin" else {
            throw BenchError("the load does not begin\(client.said)")
        }
        if work.part == .idle {
            // Frees and fallback checks that trail behind the last round trip.
            sleep(1)
            return Result(figures: Memory(proxies).figures(since: before, connections: Double(work.connections)))
        }
        let begin = Times(proxies, client)
        guard try client.readLine(within: work.seconds + 10) == "end" else { throw BenchError("no end\(client.said)") }
        let end = Times(proxies, client)
        let said = try JSONDecoder().decode(Said.self, from: Data(client.readLine(within: 10).utf8))
        let others = (end.machine - begin.machine) - (end.proxies - begin.proxies) - (end.load - begin.load)
        let capacity = said.seconds * Double(ProcessInfo.processInfo.activeProcessorCount)
        return Result(
            figures: figures(work, said, end.proxies - begin.proxies, end.machine - begin.machine), failed: said.failed,
            disturbance: max(0, others / capacity))
    }

    private func figures(_ work: Work, _ said: Said, _ proxies: Double, _ machine: Double) -> [Metric: Double] {
        if work.part == .bulk {
            let gigabytes = said.bytes / 1e9
            return [
                .gigabytesPerSecond: gigabytes / said.seconds, .proxySecondsPerGigabyte: proxies / gigabytes,
                .machineSecondsPerGigabyte: machine / gigabytes,
            ]
        }
        return [
            .perSecond: said.done / said.seconds, .p50: said.p50, .p99: said.p99,
            .proxyMicroseconds: proxies / said.done * 1e6, .machineMicroseconds: machine / said.done * 1e6,
        ]
    }
}

/// Processor time at one moment, in seconds.
private struct Times {
    let proxies: Double
    let load: Double
    let machine = Accounts.machineTime()

    init(_ children: [Child], _ client: Child) {
        load = Accounts.processorTime(of: client.id)
        proxies = children.reduce(0) { $0 + Accounts.processorTime(of: $1.id) }
    }
}

/// Memory at one moment, in bytes.
private struct Memory {
    let user: Double
    let kernel = Accounts.kernelMemory()
    let available = Accounts.availableMemory()

    init(_ children: [Child]) {
        user = children.reduce(0) { $0 + Accounts.memory(of: $1.id) }
    }

    func figures(since before: Memory, connections: Double) -> [Metric: Double] {
        [
            .userBytes: (user - before.user) / connections, .kernelBytes: (kernel - before.kernel) / connections,
            .totalBytes: (user - before.user + kernel - before.kernel) / connections,
            .availableBytes: (before.available - available) / connections,
        ]
    }
}
