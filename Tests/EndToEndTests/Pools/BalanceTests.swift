import Glibc
import KernelFiles
import Lab
import Testing

extension EndToEndSuite {
    /// Several far ends behind one near end: who gets which connection.
    @Suite(.serialized) struct BalanceTests {
        @Test func roundRobinTakesTurns() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 3)
                _ = try await fleet.start(count: 3)
                _ = try await BraidProcess.start(
                    Fleet.near(1...3, "balance = \"round-robin\""), in: host, daemon: "threads = 1")
                let answers = try PoolClients(host: host, port: 8080).ask(9)
                for start in stride(from: 0, to: 9, by: 3) {
                    #expect(answers[start..<(start + 3)].sorted() == ["9001", "9002", "9003"], "\(answers)")
                }
            }
        }

        @Test func leastConnectionsEvensOutWhatIsOpen() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 3)
                _ = try await fleet.start(count: 3)
                // Two loops: each must see what the other has.
                let near = try await BraidProcess.start(
                    Fleet.near(1...3, "balance = \"least-connections\""), in: host, daemon: "threads = 2")
                let peer = try Peer(in: host)
                var open: [String] = []
                func ask(_ name: String) async throws -> String {
                    try await peer.must("\(name) connect 127.0.0.1 8080")
                    try await peer.must("\(name) send who")
                    return try await peer.must("\(name) read 4")
                }
                for number in 0..<30 { open.append(try await ask("c\(number)")) }
                #expect(open.count { $0 == "9001" } == 10, "\(open)")
                #expect(open.count { $0 == "9002" } == 10, "\(open)")
                // One gets room: it gets the next ones.
                for number in 0..<30 where open[number] == "9002" { try await peer.must("c\(number) close") }
                try await near.connections(10)
                for number in 0..<5 { #expect(try await ask("d\(number)") == "9002") }
            }
        }

        @Test func sourceHashMovesOnlyTheClientsOfTheOneThatLeaves() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 4)
                let farEnds = try await fleet.start(count: 4)
                let near = try await BraidProcess.start(
                    Fleet.near(
                        1...4,
                        """
                        balance = "source-hash"
                        health-check = { interval = "200ms", timeout = "500ms", rise = 1, fall = 2 }
                        """), in: host)
                let clients = PoolClients(host: host, port: 8080)
                let sources = (1...400).map { "127.0.\($0 / 200 + 1).\($0 % 200 + 1)" }
                let before = try clients.ask(from: sources)
                #expect(try clients.ask(from: sources) == before)
                let orphans = before.count { $0 == "9002" }
                #expect(abs(orphans - 100) <= 40, "\(orphans) of 400 clients")
                _ = try await fleet.kill(farEnds[1], 2)
                try await near.record("upstream-down")
                let without = try clients.ask(from: sources)
                #expect(without.allSatisfy { Int($0) != nil })
                let moved = zip(before, without).count { $0 != $1 }
                #expect(moved == orphans)
                #expect(Double(moved) / 400 <= 1.0 / 4 + 0.05)
                _ = try await fleet.start(2)
                try await near.record("upstream-up")
                #expect(try clients.ask(from: sources) == before)
            }
        }

        @Test func failoverGoesInOrderAndBack() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 2)
                let farEnds = try await fleet.start(count: 2)
                let near = try await BraidProcess.start(
                    Fleet.near(
                        1...2, "health-check = { interval = \"100ms\", timeout = \"500ms\", rise = 3, fall = 2 }"),
                    in: host)
                let clients = PoolClients(host: host, port: 8080)
                #expect(Set(try clients.ask(5)) == ["9001"])
                let killed = try await fleet.kill(farEnds[0], 1)
                #expect(Set(try clients.ask(5)) == ["9002"], "tried again at once")
                let down = try await near.record("upstream-down")
                #expect(Fleet.now - killed < 3)
                #expect(down["upstream"] == "mptcp://127.0.0.1:7141", "\(down)")
                #expect(down.number("healthy") == 1, "\(down)")
                #expect(down.number("upstreams") == 2, "\(down)")
                _ = try await fleet.start(1)
                let up = try await near.record("upstream-up")
                #expect(up["upstream"] == "mptcp://127.0.0.1:7141", "\(up)")
                #expect(Set(try clients.ask(5)) == ["9001"])
            }
        }

        @Test func withoutChecksConnectionsFindOut() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 2)
                let second = try await fleet.start(2)
                let near = try await BraidProcess.start(Fleet.near(1...2, ""), in: host, daemon: "threads = 1")
                let clients = PoolClients(host: host, port: 8080)
                #expect(Set(try clients.ask(20)) == ["9002"])
                #expect(try await near.record("upstream-down")["upstream"] == "mptcp://127.0.0.1:7141")
                _ = try await fleet.start(1)
                // Now and then one connection tries it, and then all take it.
                try await eventually("a connection to the one that came back", within: .seconds(60)) {
                    try clients.ask(1) == ["9001"]
                }
                #expect(Set(try clients.ask(5)) == ["9001"])
                try await near.record("upstream-up")
                #expect(second.process.isRunning)
            }
        }

        /// An idle daemon without checks sleeps.
        @Test func withoutChecksNothingWakesIt() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let near = try await BraidProcess.start(
                    Fleet.near(1...3, "balance = \"least-connections\""), in: host, daemon: "threads = 1")
                func switches() throws -> Int {
                    let text = try #require(KernelFile.text("/proc/\(near.pid)/status"))
                    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt") })
                    return try #require(line.split(separator: "\t").last.flatMap { Int($0) })
                }
                // What happens at the start is over once the main thread has slept through a while without a switch.
                var before = try switches()
                for _ in 0..<50 {
                    try await Task.sleep(for: .milliseconds(500))
                    let now = try switches()
                    if now == before { return }
                    before = now
                }
                Issue.record("the main thread went on waking up")
            }
        }
    }
}
