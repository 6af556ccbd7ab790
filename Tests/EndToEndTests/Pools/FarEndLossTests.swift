import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// A far end that dies under load.
    @Suite(.serialized) struct FarEndLossTests {
        @Test func noConnectionFailsWhenOneOfThreeIsKilled() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let fleet = try await Fleet(in: host, count: 3)
                let farEnds = try await fleet.start(count: 3)
                let near = try await BraidProcess.start(
                    Fleet.near(
                        1...3,
                        """
                        balance = "round-robin"
                        slow-start = "0s"
                        health-check = { interval = "200ms", timeout = "300ms", rise = 2, fall = 2 }
                        """), in: host, daemon: "log-connections = false")
                let clients = PoolClients(host: host, port: 8080)
                let load = try clients.load(rate: 200, seconds: 6)
                try await load.ended(300)
                let killed = try await fleet.kill(farEnds[1], 2)
                try await near.record("upstream-down")
                let detected = Fleet.now
                _ = try await fleet.start(2)
                try await near.record("upstream-up")
                let back = Fleet.now
                let connections = try await load.connections()
                #expect(connections.count == 1200)
                let late = connections.filter { $0.began >= killed }
                #expect(late.count > 400)
                #expect(late.filter(\.failed).map(\.answer) == [], "none fails, for each is tried elsewhere")
                // Those under way at the moment of the kill may be lost with it, and only those.
                let lost = connections.filter(\.failed)
                #expect(lost.allSatisfy { $0.began > killed - 1 }, "\(lost)")
                #expect(detected - killed < 0.2 * 1.1 * 2 + 0.3 + 1, "two checks and their time, and a busy machine's")
                let dead = connections.filter { $0.began >= detected && $0.began < back - 0.5 && $0.answer == "9002" }
                #expect(dead.isEmpty)
                let again = connections.filter { $0.began > back }
                let share = Double(again.count { $0.answer == "9002" }) / Double(max(1, again.count))
                #expect(abs(share - 1.0 / 3) < 0.07, "\(share) of \(again.count)")
                let slowest = late.map(\.took).max() ?? 0
                print(
                    "far end killed: \(lost.count) lost under way, detected after \(detected - killed) s, slowest \(slowest) s"
                )
            }
        }

        /// A far end whose machine is gone answers nothing at all: only time tells.
        @Test func aSilentFarEndCostsAtMostTheDetectionTime() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let first = try lab.host("first")
                let second = try lab.host("second")
                try near.sysctl("net.mptcp.blackhole_timeout", "0")
                let links = [try lab.link(near, first, name: "one"), try lab.link(near, second, name: "two")]
                let fleets = [try await Fleet(in: first, count: 1), try await Fleet(in: second, count: 2)]
                _ = try await fleets[0].start(1)
                _ = try await fleets[1].start(2)
                let braid = try await BraidProcess.start(
                    Fleet.near(
                        [
                            "mptcp://\(links[0].address(of: first)):7141",
                            "mptcp://\(links[1].address(of: second)):7142",
                        ],
                        """
                        connect-timeout = "2s"
                        health-check = { interval = "200ms", timeout = "200ms", rise = 2, fall = 2 }
                        """), in: near, daemon: "log-connections = false")
                let clients = PoolClients(host: near, port: 8080)
                let load = try clients.load(rate: 50, seconds: 5)
                try await load.ended(50)
                links[0].blackhole(true)
                let cut = Fleet.now
                try await braid.record("upstream-down")
                let detected = Fleet.now
                let connections = try await load.connections()
                #expect(detected - cut < 0.2 * 1.1 * 2 + 0.2 + 1)
                let after = connections.filter { $0.began > detected + 0.05 }
                #expect(after.count > 50)
                #expect(after.allSatisfy { $0.answer == "9002" && $0.took < 1 })
                // Those that came in between waited for their attempt to end, and were then served.
                let between = connections.filter { $0.began > cut + 0.05 && $0.began <= detected }
                #expect(between.allSatisfy { !$0.failed }, "\(between.filter(\.failed).map(\.answer))")
            }
        }
    }
}
