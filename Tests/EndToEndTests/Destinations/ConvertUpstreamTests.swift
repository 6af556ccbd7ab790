import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// Near ends whose converter says no: another address, another converter, another time.
    @Suite(.serialized) struct ConvertUpstreamTests {
        private static func near(_ upstreams: String...) -> String {
            let list = upstreams.map { "\"\($0)\"" }.joined(separator: ", ")
            return """
                [[relay]]
                name = "near"
                listen = "socks5://127.0.0.1:1080"
                upstream = [\(list)]
                destinations = { allow = ["127.0.0.1", "*.test", "192.0.2.1"] }

                """
        }
        private static let success = "01012263"

        @Test(arguments: ["6000", "6101"]) func theOtherAddressesOfANameAreTried(error: String) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let converter = try await ConvertPeer.server(["010222631e01\(error)", Self.success], in: host)
                let names = try await NameService(
                    in: host, ["--host-record=two.test,192.0.2.1,60", "--host-record=two.test,192.0.2.2,60"])
                _ = try await BraidProcess.start(
                    Self.near("convert://127.0.0.1:7143"), in: host, prefix: names.prefix)
                let said = try host.run(
                    ["python3", "-c", Self.socks, "two.test", "9000", "hello"], timeout: .seconds(30))
                #expect(said.standardOutput == "0 hello\n")
                let requests = converter.lines.filter { $0.hasPrefix("request") }
                try #require(requests.count == 2)
                #expect(requests[0] != requests[1])
                for address in ["ffffc0000201", "ffffc0000202"] {
                    #expect(requests.contains { $0.hasSuffix(address) }, "\(requests)")
                }
            }
        }

        /// 64 and 65: the next converter is asked at once, by all loops, and the first one again after the told time.
        @Test(arguments: ["40", "41"]) func aBusyConverterIsLeftAlone(code: String) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let converter = try await ConvertPeer.server(["010222631e01\(code)02", Self.success], in: host)
                let config =
                    Self.near("convert://127.0.0.1:7143", "convert://127.0.0.1:7144") + """
                        [[relay]]
                        name = "far"
                        listen = "convert://127.0.0.1:7144"
                        upstream = "direct+tcp://"
                        destinations = { allow = ["127.0.0.1:9000"] }
                        """
                let braid = try await BraidProcess.start(config, in: host, daemon: "threads = 2")
                func requests() -> Int { converter.lines.count { $0.hasPrefix("request") } }
                func ask() throws -> String {
                    try host.curl("--socks5", "127.0.0.1:1080", "http://127.0.0.1:9000/")
                }
                let began = ContinuousClock.now
                #expect(try ask().contains("200"))
                #expect(ContinuousClock.now - began < .seconds(2), "the next is asked at once")
                for _ in 0..<8 where ContinuousClock.now - began < .milliseconds(1500) {
                    #expect(try ask().contains("200"))
                    #expect(requests() == 1)
                }
                #expect(braid.records("upstream-down").isEmpty && braid.records("upstream-failed").isEmpty)
                // It echoes what it gets, which is no HTTP.
                while requests() == 1, ContinuousClock.now - began < .seconds(15) { _ = try ask() }
                #expect(requests() == 2)
                #expect(ContinuousClock.now - began > .milliseconds(1900))
            }
        }

        @Test func membersAreShownWithTheirScheme() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let admin = try await AdminLab(
                    Self.near("convert://localhost:7143") + "balance = \"round-robin\"\n", in: host)
                let deadline = ContinuousClock.now + .seconds(10)
                var shown: [String] = []
                repeat {
                    let status = try JSON.parse(try admin.owner("/v1/status").body)
                    shown = status["relays"]?[0]?["upstreams"]?.list.compactMap { $0["address"]?.text } ?? []
                } while shown.contains("convert://localhost:7143") && ContinuousClock.now < deadline
                #expect(shown.contains("convert://127.0.0.1:7143"), "\(shown)")
                #expect(shown.allSatisfy { $0.hasPrefix("convert://") }, "\(shown)")
            }
        }

        /// Errors are limited, and Info is none: everyone who asks for it is answered.
        @Test func onlyErrorsAreLimited() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await BraidProcess.start(
                    """
                    [[relay]]
                    name = "far"
                    listen = "convert://127.0.0.1:7143"
                    upstream = "direct+tcp://"
                    destinations = { allow = ["127.0.0.1:9000"] }
                    """, in: host, daemon: "threads = 1\nlog-connections = false")
                let lines = try ConvertPeer.client(
                    """
                    import resource
                    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
                    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
                    def burst(count, sent):
                        sockets = [dial() for _ in range(count)]
                        for s in sockets: s.sendall(sent)
                        answered = 0
                        for s in sockets:
                            try: answered += s.recv(100) != b""
                            except ConnectionResetError: pass
                            s.close()
                        return answered
                    print(burst(2500, message(connect("198.51.100.1", 80))))
                    print(burst(1500, message(tlv(1, [0, 0]))))
                    """, in: host)
                let counts = lines.compactMap { Int($0) }
                try #require(counts.count == 2, "\(lines)")
                #expect(counts[0] >= 1000 && counts[0] < 2500, "\(counts)")
                #expect(counts[1] == 1500, "\(counts)")
            }
        }

        /// Asks a SOCKS5 proxy for a name, says something and prints the reply's code and what comes back.
        private static let socks = """
            import socket, struct, sys
            s = socket.create_connection(("127.0.0.1", 1080), 10)
            name = sys.argv[1].encode()
            s.sendall(bytes([5, 1, 0]))
            assert s.recv(2) == bytes([5, 0])
            s.sendall(bytes([5, 1, 0, 3, len(name)]) + name + struct.pack(">H", int(sys.argv[2])))
            reply = s.recv(22)
            s.sendall(sys.argv[3].encode())
            print(reply[1], s.recv(100).decode() if reply[1] == 0 else "")
            """
    }
}
