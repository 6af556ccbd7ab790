import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// RFC 8803 at both ends, against peers that are not ours: bytes compared.
    @Suite(.serialized) struct ConvertTests {
        private static let key = String(repeating: "0f", count: 32)
        private static let far = """
            [[relay]]
            name = "far"
            listen = "convert://127.0.0.1:7143"
            upstream = "direct+tcp://"
            connect-timeout = "500ms"
            destinations = { allow = ["127.0.0.1:9000-9001", "192.0.2.0/24", "224.0.0.0/3", "10.0.0.0/8"], deny = ["10.9.0.0/16"] }

            """

        private func withFarEnd(
            keys: String? = nil, _ body: (Host, BraidProcess) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                var config = Self.far
                if let keys {
                    let file = try directory.write(keys, to: "keys")
                    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
                    config += "key-file = \"\(file)\"\n"
                }
                try await body(host, try await BraidProcess.start(config, in: host))
            }
        }

        @Test func aConnectionWithItsFirstBytes() async throws {
            try await withFarEnd { host, braid in
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                let pending = try server.begin("s accept u")
                let lines = try ConvertPeer.client(
                    """
                    s = dial()
                    s.sendall(message(connect("127.0.0.1", 9000)) + b"early")
                    print(read_message(s).hex())
                    s.sendall(b"later"); s.shutdown(socket.SHUT_WR)
                    """, in: host)
                #expect(lines == ["01012263"])
                #expect(try await pending.answer() == "ok")
                #expect(try await server.must("u read 10") == "earlylater")
                #expect(try await server.must("u end") == "end")
                try await server.must("u close")
                let record = try await braid.connections()[0]
                #expect(record["destination"] == "127.0.0.1:9000", "\(record)")
                #expect(record.number("bytes_up") == 10, "\(record)")
                #expect(record["multipath"] == "yes", "\(record)")
            }
        }

        @Test func infoIsAnswered() async throws {
            try await withFarEnd { host, _ in
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                let lines = try ConvertPeer.client(
                    """
                    print(ask(message(tlv(1, [0, 0]))))
                    s = dial(); s.sendall(message(tlv(1, [0, 0]), connect("127.0.0.1", 9000))); print(read_message(s).hex())
                    """, in: host)
                let supported = "01032263" + "15020000" + "1e000000"
                #expect(lines == [supported, supported])
            }
        }

        @Test func everyError() async throws {
            try await withFarEnd { host, _ in
                let lines = try ConvertPeer.client(
                    """
                    good = connect("127.0.0.1", 9000)
                    def show(name, sent):
                        answer = ask(sent)
                        echo = answer.find((b"\\0" + sent).hex()[:200])
                        print(name, answer[:16] if echo < 0 else answer[:14] + " echo " + str(echo))
                    show("version", message(good, version=2))
                    show("magic", message(good, magic=0x2264))
                    show("length", bytes([1, 0, 0x22, 0x63]))
                    show("twice", message(good, good))
                    show("type", message(tlv(99, [0, 0])))
                    show("zero", message(tlv(0, [0, 0])))
                    show("nothing", message())
                    show("server", message(tlv(21, [0, 0, 30])))
                    show("option", message(connect("127.0.0.1", 9000, bytes([34, 2, 8, 3, 7]))))
                    show("multicast", message(connect("224.0.0.1", 80)))
                    show("broadcast", message(connect("255.255.255.255", 80)))
                    show("loopback", message(connect("127.0.0.1", 22)))
                    show("loopback6", message(connect("::1", 22)))
                    show("linklocal", message(connect("169.254.169.254", 80)))
                    show("forbidden", message(connect("10.9.0.1", 80)))
                    show("other", message(connect("198.51.100.1", 80)))
                    show("refused", message(connect("127.0.0.1", 9001)))
                    show("noroute", message(connect("192.0.2.1", 80)))
                    """, in: host)
                #expect(
                    lines == [
                        "version 010222631e010001", "magic 010822631e0701 echo 14", "length 010322631e0201 echo 14",
                        "twice 010d22631e0c01 echo 14", "type 010422631e0302 echo 14", "zero 010422631e0302 echo 14",
                        "nothing 010322631e0202 echo 14", "server 010522631e0402 echo 14",
                        "option 010322631e022122", "multicast 010822631e0701 echo 14",
                        "broadcast 010822631e0701 echo 14", "loopback 010822631e0701 echo 14",
                        "loopback6 010822631e0701 echo 14", "linklocal 010222631e012000",
                        "forbidden 010222631e012000", "other 010222631e012000", "refused 010222631e016000",
                        "noroute 010222631e016100",
                    ], "\(lines.joined(separator: "\n"))")
            }
        }

        @Test func onlyThoseWhoKnowAKey() async throws {
            try await withFarEnd(keys: "\(Self.key)\n") { host, braid in
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                let lines = try ConvertPeer.client(
                    """
                    key, wrong = bytes.fromhex(sys.argv[1]), bytes(32)
                    good = connect("127.0.0.1", 9000)
                    def outcome(sent, source=None):
                        s = dial(source); s.sendall(sent)
                        answer = read_message(s)
                        return answer.hex()[:14], answer
                    first = prove(key, good)
                    print("good", outcome(first)[0])
                    print("replayed", outcome(first)[0])
                    print("stolen", outcome(first, "127.0.0.2")[0])
                    print("other destination", outcome(first[:22] + bytes([9]) + first[23:])[0])
                    print("wrong", outcome(prove(wrong, good))[0])
                    print("none", outcome(message(good))[0])
                    old = int(time.time() * 1000) - 3600 * 1000
                    kind, answer = outcome(prove(key, good, at=old))
                    print("old", kind)
                    challenge = answer[8:20]
                    print("challenge", len(challenge), outcome(prove(wrong, good, at=0, random=challenge))[0])
                    elsewhere = prove(key, good, at=0, random=challenge)
                    print("for another client", outcome(elsewhere, "127.0.0.2")[0])
                    print("answered", outcome(elsewhere)[0])
                    print("again", outcome(elsewhere)[0])
                    print("made up", outcome(prove(key, good, at=0))[0])
                    """, Self.key, in: host)
                #expect(
                    lines == [
                        "good 01012263", "replayed 010222631e0120", "stolen 010222631e0120",
                        "other destination 010222631e0120", "wrong 010222631e0120", "none 010522631e0403",
                        "old 010522631e0403", "challenge 12 010222631e0120", "for another client 010522631e0403",
                        "answered 01012263", "again 010222631e0120", "made up 010522631e0403",
                    ], "\(lines.joined(separator: "\n"))")
                // One record each, and nothing was dialled.
                let records = try await braid.connections(10, timeout: .seconds(20)).filter { $0.result == "refused" }
                #expect(records.count >= 8)
                for record in records {
                    #expect(record["reason"] != nil && record["upstream"] == "direct+tcp://", "\(record)")
                    #expect(record["client"]?.hasPrefix("127.0.0.") == true, "\(record)")
                }
            }
        }

        // MARK: The near end

        private static let near = """
            [[relay]]
            name = "near"
            listen = ["socks5://127.0.0.1:1080", "http://127.0.0.1:3128"]
            upstream = "convert://127.0.0.1:7143"
            destinations = { allow = ["127.0.0.1", "localhost", "192.0.2.1"] }

            """

        @Test func asksAsTheTableSays() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let converter = try await ConvertPeer.server(["01012263", "01012263"], in: host)
                _ = try await BraidProcess.start(Self.near, in: host)
                let peer = try Peer(in: host)
                for target in ["c0000201", "7f000001"] {
                    try await peer.must("c connect 127.0.0.1 3128")
                    // Two requests in one go would be one for the proxy and one for the server.
                    let name = target == "7f000001" ? "localhost" : "192.0.2.1"
                    let answer = try host.run(
                        ["sh", "-c", "printf 'CONNECT \(name):443 HTTP/1.0\\r\\n\\r\\nearly' | nc -N 127.0.0.1 3128"])
                    #expect(answer.standardOutput == "HTTP/1.1 200 Connection established\r\n\r\nearly")
                    try await peer.must("c close")
                }
                try await converter.line(containing: "request 010622630a0501bb00000000000000000000ffffc0000201")
                try await converter.line(containing: "request 010622630a0501bb00000000000000000000ffff7f000001")
                try await converter.line(containing: "data \("early".utf8.map { String($0, radix: 16) }.joined())")
            }
        }

        @Test func eachErrorIsToldTheClient() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let errors: [(answer: String, socks: String)] = [
                    ("010222631e016000", "(5)"), ("010222631e016100", "(3)"), ("010222631e016101", "(4)"),
                    ("010222631e012000", "(2)"), ("010222631e010000", "(1)"), ("010222631e010100", "(2)"),
                    ("010522631e040300000102030405060708090a0b", "(2)"), ("02012263", "(1)"), ("01012264", "(1)"),
                    ("010222631e010200", "(1)"), ("010222631e012108", "(1)"),
                ]
                let converter = try await ConvertPeer.server(errors.map(\.answer) + ["010222631e014007"], in: host)
                _ = try await BraidProcess.start(Self.near, in: host)
                for error in errors {
                    let said = try host.curl("--socks5-hostname", "127.0.0.1:1080", "http://192.0.2.1/")
                    #expect(said.contains(error.socks), "\(error.answer): \(said)")
                    try await converter.line(containing: "reset")
                }
                // Too busy: it is left alone for seven seconds, so nobody is asked the second time.
                for _ in 0..<2 {
                    #expect(try !host.curl("--socks5-hostname", "127.0.0.1:1080", "http://192.0.2.1/").contains("200"))
                }
                #expect(converter.lines.filter { $0.hasPrefix("request") }.count == errors.count + 1)
            }
        }

        @Test func aChallengeIsAnsweredOnce() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let file = directory.file("key")
                try host.run(BraidProgram.path, "keygen", file)
                #expect(try host.run("stat", "-c", "%a", file).standardOutput == "600\n")
                #expect(try BraidProgram.run(["keygen", file], in: host).status == .exited(71))
                let challenge = "010522631e040300a0a1a2a3a4a5a6a7a8a9aaab"
                let converter = try await ConvertPeer.server([challenge, "01012263", challenge, challenge], in: host)
                _ = try await BraidProcess.start(Self.near + "key-file = \"\(file)\"\n", in: host)
                let said = try host.run(
                    ["sh", "-c", "printf 'CONNECT 192.0.2.1:80 HTTP/1.0\\r\\n\\r\\nearly' | nc -N 127.0.0.1 3128"])
                #expect(said.standardOutput.hasSuffix("early"))
                #expect(try host.curl("--socks5-hostname", "127.0.0.1:1080", "http://192.0.2.1/").contains("(2)"))
                let requests = converter.lines.filter { $0.hasPrefix("request") }
                try #require(requests.count == 4)
                // Version 1, key 0, flags, time 0, the challenge.
                let proof = "16100000" + "0100" + "00000000" + "0000000000000000" + "a0a1a2a3a4a5a6a7a8a9aaab"
                #expect(!requests[0].contains(proof) && requests[1].contains(proof))
                #expect(!requests[2].contains(proof) && requests[3].contains(proof))
            }
        }

        @Test func bothEndsWithAKeyFile() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let directory = try TemporaryDirectory()
                try host.run(BraidProgram.path, "keygen", directory.file("old"))
                try host.run("cp", "-p", directory.file("old"), directory.file("far"))
                try host.run(BraidProgram.path, "keygen", "--append", directory.file("far"))
                try host.run("sh", "-c", "umask 77; tail -1 \(directory.file("far")) >\(directory.file("new"))")
                var config = Self.far + "key-file = \"\(directory.file("far"))\"\n"
                for (index, key) in ["old", "new"].enumerated() {
                    config += """
                        [[relay]]
                        name = "\(key)"
                        listen = "socks5://127.0.0.1:\(1080 + index)"
                        upstream = "convert://127.0.0.1:7143"
                        destinations = { allow = ["127.0.0.1"] }
                        key-file = "\(directory.file(key))"

                        """
                }
                let braid = try await BraidProcess.start(config, in: host)
                for port in [1080, 1081] {
                    #expect(
                        try host.curl("--socks5-hostname", "127.0.0.1:\(port)", "http://127.0.0.1:9000/")
                            == "127.0.0.1 200")
                }
                let records = try await braid.connections(4)
                #expect(records.allSatisfy { $0["multipath"] == "yes" }, "\(records)")
            }
        }
    }
}
