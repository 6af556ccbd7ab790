import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// DNS as the registry of far ends.
    @Suite(.serialized) struct DiscoveryTests {
        /// Far ends on 127.0.0.11 to .13, all on port 7141: each knows itself by its server's number.
        private func farEnds(_ host: Host, _ count: Int) async throws -> [BraidProcess] {
            _ = try await NamedServers(in: host, ports: (1...count).map { 9000 + $0 })
            var braids: [BraidProcess] = []
            for number in 1...count {
                braids.append(
                    try await BraidProcess.start(
                        """
                        [[relay]]
                        listen = "mptcp://127.0.0.\(10 + number):7141"
                        upstream = "tcp://127.0.0.1:\(9000 + number)"
                        """, in: host, daemon: "threads = 1"))
            }
            return braids
        }

        @Test func aChangeInDNSMovesNewConnectionsWithinItsLifetime() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let farEnds = try await farEnds(host, 3)
                let names = try await NameService(
                    in: host, ["--host-record=fleet.test,127.0.0.11,1", "--host-record=fleet.test,127.0.0.12,1"])
                let near = try await BraidProcess.start(
                    Fleet.near(["mptcp://fleet.test:7141"], "balance = \"round-robin\""), in: host,
                    daemon: "threads = 1", prefix: names.prefix)
                let clients = PoolClients(host: host, port: 8080)
                let answers = try clients.ask(20)
                #expect(answers.count { $0 == "9001" } == 10, "\(answers)")
                #expect(answers.count { $0 == "9002" } == 10, "\(answers)")
                // One connection stays open over the change.
                let peer = try Peer(in: host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send who")
                let holder = try await peer.must("c read 4")

                let load = try clients.load(rate: 50, seconds: 5)
                try await names.set(["--host-record=fleet.test,127.0.0.13,1"])
                let changed = Fleet.now
                let connections = try await load.connections()
                #expect(connections.allSatisfy { !$0.failed })
                let late = connections.filter { $0.began > changed + 2 }
                #expect(late.count > 50)
                #expect(
                    late.allSatisfy { $0.answer == "9003" }, "all have moved after the lifetime of 1 s and 1 s more")
                let change = try await near.record {
                    $0.event == "upstream-members-changed" && $0["added"] == "mptcp://127.0.0.13:7141"
                }
                #expect(change["removed"]?.contains("mptcp://127.0.0.11:7141") == true, "\(change)")
                #expect(change["removed"]?.contains("mptcp://127.0.0.12:7141") == true, "\(change)")
                try await peer.must("c send who")
                #expect(try await peer.must("c read 4") == holder)
                withExtendedLifetime(farEnds) {}
            }
        }

        @Test func theServiceRecordsOfAFleet() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let farEnds = try await farEnds(host, 3)
                let hosts = (1...3).map { "--host-record=far\($0).test,127.0.0.1\($0),1" }
                let service = "_braid._tcp.fleet.test"
                let names = try await NameService(
                    in: host,
                    hosts + [
                        "--srv-host=\(service),far1.test,7141,10,30", "--srv-host=\(service),far2.test,7141,10,10",
                        "--srv-host=\(service),far3.test,7141,20,0",
                    ])
                let near = try await BraidProcess.start(
                    Fleet.near(
                        ["mptcp+srv://\(service)"],
                        "health-check = { interval = \"200ms\", timeout = \"500ms\", rise = 1, fall = 2 }"),
                    in: host, prefix: names.prefix)
                let clients = PoolClients(host: host, port: 8080)
                let answers = try clients.ask(400)
                // Three to one by chance: five standard deviations either way. The third is for when both are down.
                #expect(abs(answers.count { $0 == "9001" } - 300) < 44, "\(answers.count { $0 == "9001" })")
                #expect(answers.count { $0 == "9003" } == 0)
                for farEnd in farEnds[..<2] { try farEnd.signal(SIGKILL) }
                for number in 1...2 {
                    try await near.record {
                        $0.event == "upstream-down" && $0["upstream"] == "mptcp://far\(number).test:7141"
                    }
                }
                #expect(Set(try clients.ask(20)) == ["9003"])
                // The record of the last one goes too: what is left is tried, and nobody is there.
                try await names.set(hosts + ["--srv-host=\(service),far2.test,7141,10,10"])
                let change = try await near.record {
                    $0.event == "upstream-members-changed" && $0["removed"]?.contains("far3") == true
                }
                #expect(change["removed"]?.contains("mptcp://far1.test:7141") == true, "\(change)")
                #expect(Set(try clients.ask(2)).isSubset(of: ["ECONNRESET", "end"]))
                // And one comes back under another priority.
                try await names.set(hosts + ["--srv-host=\(service),far3.test,7141,5,0"])
                try await near.record {
                    $0.event == "upstream-members-changed" && $0["added"] == "mptcp://far3.test:7141"
                }
                #expect(Set(try clients.ask(5)) == ["9003"])
            }
        }

        @Test func aNameServerThatIsGoneTakesNobodyAway() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let farEnds = try await farEnds(host, 1)
                let names = try await NameService(in: host, ["--host-record=far.test,127.0.0.11,1"])
                let near = try await BraidProcess.start(
                    Fleet.near(["mptcp://far.test:7141"], "balance = \"round-robin\""), in: host,
                    prefix: names.prefix)
                let clients = PoolClients(host: host, port: 8080)
                #expect(Set(try clients.ask(3)) == ["9001"])
                try await names.stop()
                let load = try clients.load(rate: 20, seconds: 5)
                let connections = try await load.connections()
                #expect(connections.allSatisfy { $0.answer == "9001" })
                // The first ones waited a second for fresh addresses; the others do no more.
                #expect(connections.filter { $0.began > connections[0].began + 2.5 }.allSatisfy { $0.took < 0.5 })
                try await near.record("name-unresolved")
                withExtendedLifetime(farEnds) {}
            }
        }
    }
}
