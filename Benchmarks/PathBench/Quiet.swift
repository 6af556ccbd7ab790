import Foundation
import Glibc
import Lab

/// What Braid does that the kernel alone has no figure for.
enum Quiet: String, CaseIterable {
    /// The first answer of a new connection while the link that it would begin on is a blackhole, in milliseconds.
    case dial = "dial:dead-primary"
    /// How often near and far end are woken in a minute while twenty connections idle.
    case idle = "idle:60s"

    var goal: EventTable.Goal {
        switch self {
        // 250 ms before the next link is tried, a round trip of 40 ms to connect and one to ask, and 50 ms.
        case .dial: EventTable.Goal(most: 250 + 2 * 40 + 50)
        // There is no watchdog here; keepalive may end a probe.
        case .idle: EventTable.Goal(most: 8)
        }
    }

    func measure(congestion: String, bench: PathBench) async throws -> Double {
        var scene = Scene(
            row: Failover.row, setting: .braid, way: .up, congestion: congestion, seconds: 0, bench: bench)
        scene.isPinned = false
        switch self {
        case .dial:
            return try await scene.withBraid { near, _, links, _ in
                links[0].blackhole(true)
                let began = monotonicSeconds()
                let client = try Plug.connect(in: near, from: nil, to: "127.0.0.1", port: 1143, protocol: 0)
                defer { close(client) }
                try Self.ask(client)
                return (monotonicSeconds() - began) * 1000
            }
        case .idle:
            return try await scene.withBraid { near, _, _, daemons in
                let clients = try (0..<20).map { _ in
                    try Plug.connect(in: near, from: nil, to: "127.0.0.1", port: 1143, protocol: 0)
                }
                defer { for client in clients { close(client) } }
                for client in clients { try Self.ask(client) }
                // What was begun ends.
                pause(7)
                let before = daemons.map { Self.contextSwitches($0.pid) }.reduce(0, +)
                pause(60)
                return Double(daemons.map { Self.contextSwitches($0.pid) }.reduce(0, +) - before)
            }
        }
    }

    /// 8 bytes there and back.
    private static func ask(_ client: Int32) throws {
        var buffer = [UInt8](repeating: 7, count: 8)
        try checked(Int32(send(client, buffer, 8, Int32(MSG_NOSIGNAL))), "send")
        guard recv(client, &buffer, 8, Int32(MSG_WAITALL)) == 8 else { throw SystemError("recv") }
    }

    /// Voluntary ones, of all threads of a process: each is a time it was woken.
    private static func contextSwitches(_ process: Int32) -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.reduce(0) { sum, task in
            let status = (try? String(contentsOfFile: "/proc/\(process)/task/\(task)/status", encoding: .utf8)) ?? ""
            let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            return sum + (line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0)
        }
    }
}
