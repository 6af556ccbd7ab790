import Lab
import Testing

extension EndToEndSuite {
    /// Middleboxes that carry no MPTCP on one link or on both: what a connection says, what one that requires multipath does,
    /// and what `braid doctor` says, all of the same network.
    @Suite(.serialized) struct StrippingTests {
        /// What is on the way.
        struct Box: Sendable, CustomTestStringConvertible {
            enum Deed: String, Sendable { case strips, dropsSYNs }
            let deed: Deed
            /// Connections begin on wifi.
            let links: [String]

            var testDescription: String { "\(deed.rawValue) on \(links.joined(separator: " and "))" }

            var isEverywhere: Bool { links.count == 2 }

            /// At the far host, before its sockets.
            var rules: String {
                links.map { link in
                    let act =
                        deed == .strips
                        ? "reset tcp option 30" : "tcp flags & (syn | ack) == syn tcp option 30 exists drop"
                    return "iifname \"\(link)\" \(act);"
                }.joined(separator: "\n")
            }

            /// Part of what doctor says of a link that it is on.
            var found: String {
                deed == .strips ? "not multipath" : "SYNs with MPTCP get no answer, one without does"
            }

            static let all = [Deed.strips, .dropsSYNs].flatMap { deed in
                [["wifi"], ["wifi", "lte"]].map { Box(deed: deed, links: $0) }
            }
        }

        /// What a plain connection is to say, and one that requires multipath.
        private func expectedOutcomes(_ box: Box) -> (plain: String, required: String) {
            switch (box.deed, box.isEverywhere) {
            // The first to connect wins, and wifi connects, as plain TCP; where multipath is required, lte is tried too.
            case (.strips, false): ("fallback closed peer-or-path-refused", "yes closed")
            case (.strips, true): ("fallback closed peer-or-path-refused", "fallback refused peer-or-path-refused")
            // Nothing answers on wifi, and lte wins the race.
            case (.dropsSYNs, false): ("yes closed", "yes closed")
            // After three seconds the kernel tries plain TCP.
            case (.dropsSYNs, true): ("fallback closed syn-dropped", "fallback refused syn-dropped")
            }
        }

        @Test(.timeLimit(.minutes(2)), arguments: Box.all)
        func whatEachConnectionSays(_ box: Box) async throws {
            try await Lab.with { lab in
                let fast = LinkProfile(delay: .milliseconds(5))
                let paths = try PathsLab.make(in: lab, wifi: fast, lte: fast)
                try paths.far.run(
                    ["nft", "-f", "-"],
                    input: """
                        table inet box {
                            chain in {
                                type filter hook prerouting priority raw;
                                \(box.rules)
                            }
                        }
                        """)
                _ = try await paths.startFar(upstream: "echo://")
                let near = try await paths.startNear(
                    relay: """
                        [[relay]]
                        name = "strict"
                        listen = "tcp://127.0.0.1:8081"
                        upstream = "mptcp://\(paths.wifi.address(of: paths.far)):7143"
                        require-multipath = true
                        """)
                let expected = expectedOutcomes(box)
                #expect(try await outcome(of: "near", port: 8080, near, paths) == expected.plain)
                #expect(try await outcome(of: "strict", port: 8081, near, paths) == expected.required)
                try expectDoctor(box, paths)
            }
        }

        /// Has a client say something and hear it back, and answers what the log says of its connection.
        private func outcome(
            of relay: String, port: Int, _ near: BraidProcess, _ paths: PathsLab
        ) async throws -> String {
            let peer = try Peer(in: paths.near)
            try await peer.must("A connect 127.0.0.1 \(port)")
            try await peer.ask("A send hello")
            let answer = try await peer.ask("A read 5")
            if answer == "ok hello" { try await peer.must("A close") }
            let record = try #require(try await near.connections(relay: relay).first)
            #expect((answer == "ok hello") == (record.result == "closed"), "\(answer): \(record)")
            if record.result == "refused" { #expect(answer == "ECONNRESET") }
            return [record["multipath"], record.result, record["fallback_reason"]].compactMap(\.self)
                .joined(separator: " ")
        }

        /// The link is named on which it happens, and the other one is not.
        private func expectDoctor(_ box: Box, _ paths: PathsLab) throws {
            let output = try BraidProgram.run(
                ["doctor", "\(paths.wifi.address(of: paths.far)):7143"], in: paths.near, timeout: .seconds(60))
            let lines = output.standardOutput.split(separator: "\n").map(String.init)
            for link in ["wifi", "lte"] {
                let line = try #require(lines.first { $0.contains(" through \(link) (") }, "\(output.standardOutput)")
                if box.links.contains(link) {
                    #expect(line.hasPrefix("FAIL peer") && line.contains(box.found), "\(line)")
                } else {
                    #expect(line.hasPrefix("PASS peer") && line.contains("multipath, with bytes both ways"), "\(line)")
                }
            }
            #expect(output.status == .exited(1))
        }
    }
}
