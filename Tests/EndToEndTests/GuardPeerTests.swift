import Lab
import Testing

extension EndToEndSuite {
    /// A link that is good for one peer and bad for another.
    @Suite(.serialized) struct GuardPeerTests {
        private static let port = 7143
        /// The far host's second address: another peer, over the same two links.
        private static let other = "10.99.0.2"

        /// Local addresses of the near host's established subflows to a peer.
        private func subflows(_ paths: PathsLab, to peer: String) throws -> [Substring] {
            try paths.near.run("ss", "-tnH", "state", "established", "dst", "\(peer):\(Self.port)").standardOutput
                .split(separator: "\n").compactMap { line in
                    line.split(separator: " ").dropFirst(2).first?.split(separator: "%").first?.split(separator: ":")
                        .first
                }.sorted()
        }

        @Test(.timeLimit(.minutes(2)))
        func itsConnectionsKeepAwayFromItAndAllOthersUseIt() async throws {
            try await Lab.with { lab in
                let profile = LinkProfile(rate: .mbit(20), delay: .milliseconds(10))
                let paths = try PathsLab.make(in: lab, wifi: profile, lte: profile)
                try paths.far.run("ip", "address", "add", "\(Self.other)/32", "dev", "lo")
                // Twelve of a hundred segments to the other peer are lost over lte.
                try paths.far.run(
                    ["nft", "-f", "-"],
                    input: """
                        table inet box {
                            chain in {
                                type filter hook prerouting priority raw;
                                iifname "lte" ip daddr \(Self.other) numgen random mod 100 < 12 drop;
                            }
                        }
                        """)
                _ = try await paths.startFar(relay: "socket.congestion = \"cubic\"")
                let near = try await paths.startNear(
                    relay: """
                        socket.congestion = "cubic"
                        [[relay]]
                        name = "other"
                        listen = "tcp://127.0.0.1:8081"
                        upstream = "mptcp://\(Self.other):\(Self.port)"
                        socket.congestion = "cubic"
                        """)
                let server = try Traffic(in: paths.far)
                try await server.serve("127.0.0.1", port: 9000)
                let first = try Traffic(in: paths.near)
                try await first.up("127.0.0.1", port: 8080)
                let second = try Traffic(in: paths.near)
                try await second.up("127.0.0.1", port: 8081)

                let record = try await near.record(timeout: .seconds(60)) {
                    $0.event == "link-avoided" && $0["why"]?.contains("slower with it") == true
                }
                print("measured: \(record.message)")
                #expect(record["link"] == "lte" && record["remote"] == Self.other && record["avoided"] == "yes")
                let good = paths.wifi.address(of: paths.far)
                let wifi = Substring(paths.wifi.address(of: paths.near))
                let lte = Substring(paths.lte.address(of: paths.near))
                try await paths.until("the other peer's subflow over lte is gone") {
                    try subflows(paths, to: Self.other) == [wifi]
                }
                #expect(try subflows(paths, to: good) == [wifi, lte].sorted(), "nothing changes for the first peer")
                #expect(near.records("link-backup").isEmpty)
                let shown = try BraidProgram.run(["paths", "--json", "--socket", near.socket], in: paths.near)
                #expect(shown.standardOutput.contains("not for \(Self.other): slower with it"), "\(shown)")

                // Nobody brings it back before its time: not the audit, and not a new connection that has much to send.
                let third = try Traffic(in: paths.near)
                try await third.up("127.0.0.1", port: 8081)
                try await paths.until("the new connection joins over lte, like any other") {
                    try subflows(paths, to: Self.other).contains(lte)
                }
                try await paths.until("and leaves it again", within: .seconds(10)) {
                    try subflows(paths, to: Self.other) == [wifi, wifi]
                }
                // A moment on a busy machine may have cost the first peer a subflow, which the keeper brings back; but
                // nobody may have judged its link.
                try await paths.until("the first peer has both links") {
                    try subflows(paths, to: good) == [wifi, lte].sorted()
                }
                #expect(near.records("link-avoided").allSatisfy { $0["remote"] == Self.other })
                #expect(try await server.errors() == 0)
            }
        }
    }
}
