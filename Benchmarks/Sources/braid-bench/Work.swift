/// One kind of work: what `braid-load` does, and which figures come out.
struct Work {
    enum Part: String, CaseIterable { case bulk, rr, conn, idle }

    let part: Part
    /// For the tables, and stable for comparisons between runs.
    let name: String
    /// The words of `braid-load`.
    let kind: String
    var connections: Int
    let size: Int
    let warmUp: Double
    let seconds: Double

    /// The same work with as many idle connections as the descriptors are enough for.
    func fitting(_ competitor: Competitor, descriptors: Int) -> Work {
        var work = self
        if part == .idle { work.connections = min(connections, (descriptors - spare) / max(2, competitor.descriptors)) }
        return work
    }

    static func all(seconds: Double, quick: Bool) -> [Work] {
        var works: [Work] = []
        for (kind, arrow) in [("up", "up"), ("down", "down")] {
            for connections in [1, 8] {
                works.append(
                    Work(
                        part: .bulk, name: "bulk \(arrow), \(connections) conn", kind: kind, connections: connections,
                        size: 0,
                        warmUp: quick ? 0.3 : 0.7, seconds: seconds))
            }
        }
        for size in quick ? [1024] : [1024, 64] {
            for connections in [1, 100, 1000] {
                works.append(
                    Work(
                        part: .rr, name: "rr \(size) B, \(connections) conn", kind: "ping-pong",
                        connections: connections, size: size,
                        warmUp: 0.3, seconds: seconds))
            }
        }
        works.append(
            Work(
                part: .conn, name: "new connections, 50 at once", kind: "connect", connections: 50, size: 64,
                warmUp: 0.3, seconds: seconds))
        let idle = quick ? 2000 : 10_000
        works.append(
            Work(
                part: .idle, name: "idle, \(idle) conn at most", kind: "idle", connections: idle, size: 1024, warmUp: 0,
                seconds: 0))
        return works
    }
}

/// A figure of a work.
enum Metric: String, CaseIterable, Codable {
    case gigabytesPerSecond = "GB/s"
    case proxySecondsPerGigabyte = "proxy CPU s/GB"
    case machineSecondsPerGigabyte = "machine CPU s/GB"
    case perSecond = "/s"
    case p50 = "p50 µs"
    case p99 = "p99 µs"
    case proxyMicroseconds = "proxy CPU µs each"
    case machineMicroseconds = "machine CPU µs each"
    case userBytes = "user B/conn"
    case kernelBytes = "kernel B/conn"
    case totalBytes = "user+kernel B/conn"
    case availableBytes = "MemAvailable B/conn"

    var higherIsBetter: Bool { self == .gigabytesPerSecond || self == .perSecond }
}
