import Lab
import Testing

extension EndToEndSuite {
    /// A name leads where its owner wants, and somewhere else the next time: what counts is the address that is dialled.
    @Suite(.serialized) struct RebindingTests {
        private static let config = """
            [[relay]]
            name = "any-name"
            listen = ["socks5://127.0.0.1:1080", "http://127.0.0.1:3128"]
            upstream = "direct+tcp://"
            destinations = { allow = ["*", "*.test", "0.0.0.0/0", "::/0", ":9000"] }
            [[relay]]
            name = "by-address"
            listen = ["socks5://127.0.0.1:1081", "http://127.0.0.1:3129"]
            upstream = "direct+tcp://"
            destinations = { allow = ["127.0.0.1:9000", "169.254.169.254", "10.0.0.77/32", "[::1]:9000"] }
            [[relay]]
            name = "own"
            listen = "tcp://10.0.0.77:8080"
            upstream = "echo://"

            """
        private static let records = [
            "--host-record=loop.test,127.0.0.1,1", "--host-record=loop6.test,::1,1",
            "--host-record=any.test,0.0.0.0,1", "--host-record=mapped.test,::ffff:127.0.0.1,1",
            "--host-record=meta.test,169.254.169.254,1", "--host-record=own.test,10.0.0.77,1",
            "--host-record=good.test,10.0.0.88,1", "--host-record=both.test,10.0.0.88,1",
            "--host-record=both.test,127.0.0.1,1", "--cname=alias.test,loop.test",
        ]

        private func withNames(
            _ body: (Host, NameService, BraidProcess, _ get: (_ target: String, _ relay: Int) throws -> [String])
                async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                for address in ["10.0.0.77", "10.0.0.88", "169.254.169.254"] {
                    try host.run("ip", "address", "add", "\(address)/32", "dev", "lo")
                }
                // Whoever gets there gets an answer, so that only Braid's refusal keeps anybody away.
                try await WhoAmIServer.start(in: host)
                let names = try await NameService(in: host, Self.records)
                let braid = try await BraidProcess.start(Self.config, in: host, prefix: names.prefix)
                try await body(host, names, braid) { target, relay in
                    let ways = [
                        ["--socks5-hostname", "127.0.0.1:\(1080 + relay)"],
                        ["--proxytunnel", "--proxy", "http://127.0.0.1:\(3128 + relay)"],
                    ]
                    return try ways.map { way in
                        let output = try host.run(
                            [try Application.curl.path, "--silent", "--show-error", "--max-time", "10"] + way
                                + ["--write-out", " %{http_code}", "http://\(target)/"], expecting: nil)
                        return output.standardOutput + output.standardError
                    }
                }
            }
        }

        @Test func aNameThatLeadsInsideIsRefusedUnlessItsAddressIsAllowed() async throws {
            try await withNames { _, _, braid, get in
                func expectRefused(_ target: String, _ relay: Int) throws {
                    let answers = try get(target, relay)
                    #expect(answers[0].contains("(2)") && !answers[0].contains("200"), "\(target): \(answers)")
                    #expect(answers[1].contains("response 403"), "\(target): \(answers)")
                }
                let inside = [
                    "loop.test", "loop6.test", "any.test", "mapped.test", "meta.test", "alias.test", "LOOP.test.",
                ]
                for name in inside { try expectRefused("\(name):9000", 0) }
                try expectRefused("own.test:8080", 0)
                for answer in try get("good.test:9000", 0) { #expect(answer.hasSuffix(" 200"), "\(answer)") }
                // Allowed by address, whatever the name is.
                for name in ["loop.test", "loop6.test", "alias.test", "meta.test"] {
                    for answer in try get("\(name):9000", 1) { #expect(answer.hasSuffix(" 200"), "\(name): \(answer)") }
                }
                try expectRefused("loop.test:9001", 1)
                try expectRefused("good.test:9000", 1)
                // This daemon's own listener too, when its very address is.
                for answer in try get("own.test:8080", 1) { #expect(!answer.contains("(2)"), "\(answer)") }
                let refused = try await braid.connections(32).filter { $0.result == "refused" }
                #expect(refused.count == 20, "\(refused)")
                #expect(refused.allSatisfy { $0["reason"] != nil }, "\(refused)")
            }
        }

        @Test func ofTwoAddressesTheOneThatIsAllowedIsDialled() async throws {
            try await withNames { _, _, braid, get in
                for _ in 0..<5 {
                    for answer in try get("both.test:9000", 0) {
                        #expect(answer == "10.0.0.88\n 200", "a connection to 10.0.0.88 comes from there: \(answer)")
                    }
                }
                #expect(try await braid.connections(10).allSatisfy { $0.result == "closed" })
            }
        }

        /// First an address that anybody may reach, then loopback: the second answer is judged as the first was.
        @Test func aNameThatMovesInsideIsRefusedFromThenOn() async throws {
            try await withNames { _, names, _, get in
                for answer in try get("good.test:9000", 0) { #expect(answer.hasSuffix(" 200"), "\(answer)") }
                try await names.set(["--host-record=good.test,127.0.0.1,1"])
                // The old answer may be used for its second, and leads where it led.
                try await eventually("good.test is asked for again") { try get("good.test:9000", 0)[0].contains("(2)") }
                #expect(try get("good.test:9000", 0)[1].contains("response 403"))
                for _ in 0..<20 { #expect(try !get("good.test:9000", 0)[0].contains("200")) }
                // And back.
                try await names.set(["--host-record=good.test,10.0.0.88,1"])
                try await eventually("good.test has moved back") { try get("good.test:9000", 0)[0].hasSuffix(" 200") }
            }
        }
    }
}
