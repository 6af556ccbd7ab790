import Lab
import LinuxSystem
import Testing

extension DoctorSuite {
    /// `braid doctor HOST:PORT`: what is wrong with one way to the peer.
    @Suite(.serialized)
    struct PeerPathTests {
        private static let port: UInt16 = 7010

        private func withEcho(_ body: (_ host: TwoLinks, _ target: String) async throws -> Void) async throws {
            try await TwoLinks.with { host in
                let echo = try host.far.spawn(Program.path, "echo", "--listen", "0.0.0.0:\(Self.port)")
                try await echo.line(containing: "listening on")
                try await body(host, "\(host.links[0].address(of: host.far)):\(Self.port)")
            }
        }

        /// A middlebox before the far end.
        private func box(_ host: TwoLinks, _ rule: String) throws {
            try host.far.run(
                ["nft", "-f", "-"],
                input: """
                    table inet box {
                        chain in {
                            type filter hook prerouting priority raw;
                            \(rule);
                        }
                    }
                    """)
        }

        @Test("full packets vanish on one link, and nobody says so: that link is named, and mended by copy and paste")
        func largePacketsVanish() async throws {
            try await withEcho { host, target in
                try box(host, "iifname \"wifi\" meta length > 1400 drop")
                let output = try host.near.doctor([target])
                let failed = output.lines("mtu").filter { $0.verdict == "FAIL" }
                #expect(failed.count == 1, "\(output.text)")
                #expect(failed.first?.found.hasPrefix("through wifi, packets of 1500 bytes vanish") == true)
                let fix = try #require(failed.first?.fixes.first)
                try host.near.run("sh", "-c", fix)
                let after = try host.near.doctor([target])
                let line = try #require(after.lines("mtu").first)
                #expect(line.verdict == "PASS", "\(after.text)")
                #expect(line.found.contains("through wifi 1280, which arrive"), "\(after.text)")
            }
        }

        @Test("a link whose packets would leave by the other one is tried by its interface, and that is said")
        func strayingPackets() async throws {
            try await withEcho { host, target in
                try box(host, "iifname \"wifi\" reset tcp option 30")
                try host.near.run("ip", "rule", "del", "priority", "102")
                let output = try host.near.doctor([target])
                let line = try #require(output.lines("peer").first { $0.found.contains("through wifi") })
                #expect(
                    line.found.contains("by its interface since packets from that address leave by lte (see routes)"),
                    "\(output.text)")
                // Over lte, where the packets would have gone, it would have been multipath.
                #expect(line.verdict == "FAIL" && line.found.contains("not multipath"), "\(output.text)")
                #expect(output.lines("routes").contains { $0.found.contains("no rule for 10.0.2.1") })
            }
        }

        @Test("a route that says less than its interface is named")
        func routeWithSmallPackets() async throws {
            try await withEcho { host, target in
                try host.near.run(
                    ["sh", "-c", "ip route replace $(ip route show table 102 default) table 102 mtu 1000"])
                let output = try host.near.doctor([target])
                let complaints = output.lines("mtu").filter { $0.verdict == "WARN" }
                #expect(
                    complaints.contains { $0.found.hasPrefix("the route by wifi says packets of 1000") },
                    "\(output.text)")
                #expect(
                    complaints.contains {
                        $0.found.hasPrefix("the way to the peer through wifi takes packets of 1000")
                    },
                    "\(output.text)")
            }
        }
    }
}
