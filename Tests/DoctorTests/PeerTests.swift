import Lab
import LinuxSystem
import Testing

extension DoctorSuite {
    /// `braid doctor HOST:PORT`: what happens on the way to a peer.
    @Suite(.serialized)
    struct PeerTests {
        private static let port: UInt16 = 7010

        private func withEcho(_ body: (_ host: TwoLinks, _ target: String) async throws -> Void) async throws {
            try await TwoLinks.with { host in
                let echo = try host.far.spawn(Program.path, "echo", "--listen", "0.0.0.0:\(Self.port)")
                try await echo.line(containing: "listening on")
                try await body(host, "\(host.links[0].address(of: host.far)):\(Self.port)")
            }
        }

        @Test("through each link, and a second subflow")
        func healthy() async throws {
            try await withEcho { host, target in
                let output = try host.near.doctor([target])
                #expect(output.complaints.map(\.found) == [], "\(output.text)")
                let peers = output.lines("peer").map(\.found)
                #expect(peers.count == 2)
                for link in host.links {
                    #expect(
                        peers.contains {
                            $0.hasPrefix("through \(link.name) (") && $0.hasSuffix("multipath, with bytes both ways")
                        })
                }
                #expect(output.lines("second-subflow").first?.found.hasPrefix("2 subflows") == true)
            }
        }

        @Test("a middlebox strips the option on one link: that link is named")
        func stripped() async throws {
            try await withEcho { host, target in
                try host.far.run(
                    ["nft", "-f", "-"],
                    input: """
                        table inet box {
                            chain in {
                                type filter hook prerouting priority raw;
                                iifname "wifi" reset tcp option 30;
                            }
                        }
                        """)
                let output = try host.near.doctor([target])
                let failed = output.lines("peer").filter { $0.verdict == "FAIL" }
                #expect(failed.count == 1, "\(output.text)")
                #expect(failed.first?.found.hasPrefix("through wifi (") == true)
                #expect(failed.first?.found.contains("not multipath") == true)
                #expect(output.status == .exited(1))
            }
        }

        @Test("a middlebox drops SYNs with the option: said so, and the kernel's memory of it is not woken")
        func dropped() async throws {
            try await withEcho { host, target in
                try host.near.sysctl("net.mptcp.blackhole_timeout", "3600")
                try host.far.run(
                    ["nft", "-f", "-"],
                    input: """
                        table inet box {
                            chain in {
                                type filter hook prerouting priority raw;
                                iifname "wifi" tcp flags & (syn | ack) == syn tcp option 30 exists drop;
                            }
                        }
                        """)
                let output = try host.near.doctor([target])
                let failed = output.lines("peer").filter { $0.verdict == "FAIL" }
                #expect(failed.count == 1, "\(output.text)")
                #expect(failed.first?.found.contains("SYNs with MPTCP get no answer, one without does") == true)
                #expect(try host.near.counter("MPTcpExt", "Blackhole") == 0)
            }
        }

        @Test("the peer's limit is 0: it refuses the join, and the command for the peer is told")
        func peerLimit() async throws {
            try await withEcho { host, target in
                try host.far.run("ip", "mptcp", "limits", "set", "subflow", "0")
                let output = try host.near.doctor([target])
                let line = try #require(output.lines("second-subflow").first)
                #expect(line.verdict == "FAIL")
                #expect(line.remedies.contains { $0.text.contains("ip mptcp limits set subflow 8") }, "\(output.text)")
            }
        }

        @Test("no endpoints: the second subflow is not tried, and says so")
        func noEndpoints() async throws {
            try await withEcho { host, target in
                try host.near.removeEndpoints()
                let output = try host.near.doctor([target])
                #expect(output.lines("second-subflow").first?.found.contains("there are no endpoints") == true)
            }
        }

        @Test("nobody listens; a name that is none")
        func unreachable() async throws {
            try await TwoLinks.with { host in
                let output = try host.near.doctor(["\(host.links[0].address(of: host.far)):9"])
                #expect(output.lines("peer").allSatisfy { $0.verdict == "FAIL" })
                #expect(output.status == .exited(1))
                let nameless = try host.near.doctor(["nobody.invalid:9"])
                #expect(nameless.lines("peer").first?.found.contains("has no address") == true)
            }
        }
    }
}
