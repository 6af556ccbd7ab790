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
            destinations = { allow = ["127.0.0.1:9000-9001", "[::1]:9000", "192.0.2.0/24", "224.0.0.0/3", "10.0.0.0/8"], deny = ["10.9.0.0/16"] }

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

        /// Each answer to its last byte, and an end in order behind it.
        @Test func everyError() async throws {
            try await withFarEnd { host, braid in
                try host.run("ip", "route", "add", "unreachable", "10.1.0.0/16")
                try host.run("ip", "route", "add", "prohibit", "10.2.0.0/16")
                try host.run("ip", "route", "add", "blackhole", "10.3.0.0/16")
                let lines = try ConvertPeer.client(
                    """
                    good = connect("127.0.0.1", 9000)
                    def malformed(name, sent): show(name, sent, error(1, b"\\0" + sent))
                    def unsupported(name, sent): show(name, sent, error(2, b"\\0" + sent))
                    def options(*all): return message(connect("127.0.0.1", 9000, bytes(all)))
                    show("version", message(good, version=2), error(0, [1]))
                    show("version 0", message(good, version=0), error(0, [1]))
                    malformed("magic", message(good, magic=0x2264))
                    malformed("no words", bytes([1, 0, 0x22, 0x63]))
                    malformed("twice", message(good, good))
                    malformed("info twice", message(tlv(1, [0, 0]), good, tlv(1, [0, 0])))
                    malformed("part of no words", message(bytes([10, 0]) + good[2:]))
                    malformed("part too long", message(bytes([10, 6]) + good[2:]))
                    malformed("last part too long", message(good, bytes([1, 2, 0, 0])))
                    malformed("info too long", message(tlv(1, [0] * 6)))
                    malformed("connect too short", message(bytes([10, 4]) + good[2:16]))
                    malformed("port 0", message(connect("127.0.0.1", 0)))
                    malformed("option of 0", options(34, 0, 0, 0))
                    malformed("option of 1", options(34, 1, 0, 0))
                    malformed("option too long", options(34, 5, 0, 0))
                    malformed("option cut", options(1, 1, 1, 34))
                    unsupported("type", message(tlv(99, [0, 0])))
                    unsupported("type 0", message(tlv(0, [0, 0])))
                    unsupported("type behind a good one", message(good, tlv(99, [0, 0])))
                    unsupported("nothing", message())
                    unsupported("cookie alone", message(tlv(22, [0, 0, 1, 2])))
                    unsupported("a converter's part", message(tlv(21, [0, 0, 30])))
                    unsupported("an error", message(good, tlv(30, [96, 0])))
                    # Of the longest message the echo is cut.
                    longest = message(tlv(22, [0, 0] + [7] * (1020 - 4 - 4 - 4)), tlv(99, [0, 0]))
                    show("longest", longest, error(2, b"\\0" + longest[:1020 - 4 - 4]))
                    show("option", options(34, 2, 8, 3, 7), error(33, [34, 8]))
                    multicast = message(connect("224.0.0.1", 80))
                    malformed("multicast", multicast)
                    malformed("multicast6", message(connect("ff02::1", 80)))
                    malformed("broadcast", message(connect("255.255.255.255", 80)))
                    malformed("loopback", message(connect("127.0.0.1", 22)))
                    malformed("loopback6", message(connect("::1", 22)))
                    malformed("this host", message(connect("0.0.0.0", 9000)))
                    show("link-local", message(connect("169.254.169.254", 80)), error(32, [0]))
                    show("forbidden", message(connect("10.9.0.1", 80)), error(32, [0]))
                    show("other", message(connect("198.51.100.1", 80)), error(32, [0]))
                    show("refused", message(connect("127.0.0.1", 9001)), error(96, [0]))
                    show("no route", message(connect("192.0.2.1", 80)), error(97, [0]))
                    show("host unreachable", message(connect("10.1.0.1", 80)), error(97, [1]))
                    show("prohibited", message(connect("10.2.0.1", 80)), error(32, [0]))
                    show("network failure", message(connect("10.3.0.1", 80)), error(65, [0]))
                    """, in: host)
                #expect(lines.allSatisfy { $0.hasSuffix(" ok") }, "\(lines.joined(separator: "\n"))")
                #expect(lines.count == 39)
                // A record each, and no more.
                let records = try await braid.connections(lines.count)
                #expect(records.allSatisfy { ["refused", "connect-failed"].contains($0.result) }, "\(records)")
                try await braid.stop()
                #expect(braid.records("connection-ended").count == lines.count)
            }
        }

        /// A destination whose packets vanish: unreachable, once `connect-timeout` is over.
        @Test func aDestinationThatDoesNotAnswer() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let other = try lab.host("other")
                let link = try lab.link(host, other, name: "eth0")
                link.blackhole(true)
                _ = try await BraidProcess.start(Self.far, in: host)
                let lines = try ConvertPeer.client(
                    "show('silent', message(connect(sys.argv[1], 80)), error(97, [1]))", link.address(of: other),
                    in: host)
                #expect(lines == ["silent ok"])
            }
        }

        /// One descriptor is left: the client gets in, and there is none to dial with.
        @Test func noDescriptorIsLeft() async throws {
            try await withFarEnd { host, braid in
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                // Whatever it opens once, at its first connection.
                _ = try ConvertPeer.client("ask(message(connect('127.0.0.1', 9001)))", in: host)
                try await braid.connections()
                let open = try braid.descriptorNumbers()
                let free = try #require((0...1000).first { !open.contains($0) })
                let next = try #require((free + 1...1000).first { !open.contains($0) })
                try host.run("prlimit", "--pid", "\(braid.pid)", "--nofile=\(next):")
                let full = try ConvertPeer.client(
                    "show('full', message(connect('127.0.0.1', 9000)), error(64, [0]))", in: host)
                #expect(full == ["full ok"])
                try host.run("prlimit", "--pid", "\(braid.pid)", "--nofile=1000:")
                let room = try ConvertPeer.client(
                    "s = dial(); s.sendall(message(connect('127.0.0.1', 9000))); print(read_message(s).hex())", in: host
                )
                #expect(room == ["01012263"])
            }
        }

        @Test func overIPv6() async throws {
            try await withFarEnd { host, braid in
                let server = try Peer(in: host)
                try await server.must("s listen ::1 9000")
                let lines = try ConvertPeer.client(
                    """
                    s = dial()
                    s.sendall(message(connect("::1", 9000)) + b"early")
                    print(read_message(s).hex())
                    s.shutdown(socket.SHUT_WR)
                    """, in: host)
                #expect(lines == ["01012263"])
                try await server.must("s accept u")
                #expect(try await server.must("u read 5") == "early")
                #expect(try await server.must("u end") == "end")
                try await server.must("u close")
                let record = try await braid.connections()[0]
                #expect(record["destination"] == "[::1]:9000", "\(record)")
            }
        }

        /// A thousand refusals of each kind, turn by turn: the time until the answer says nothing about the cause.
        @Test func refusalsOfAllKindsTakeTheSameTime() async throws {
            try await withFarEnd(keys: "\(Self.key)\n\(String(repeating: "1e", count: 32))\n") { host, braid in
                let server = try Peer(in: host)
                try await server.must("s listen 127.0.0.1 9000")
                let lines = try ConvertPeer.client(
                    """
                    key, good = bytes.fromhex(sys.argv[1]), connect("127.0.0.1", 9000)
                    def numbered(sent):
                        # Behind the header's 4 bytes, Connect's 20, type and length, two zeros and the version.
                        return sent[:29] + bytes([77]) + sent[30:]
                    replayed = prove(key, good)
                    s = dial(); s.sendall(replayed); print(read_message(s).hex()); s.close()
                    kinds = [lambda: prove(bytes(32), good), lambda: replayed, lambda: numbered(prove(bytes(32), good))]
                    times = [[], [], []]
                    refusal, rounds = error(32, [0]), 0
                    while min(map(len, times)) < 1000 and rounds < 5000:
                        for place in range(3):
                            kind = (place + rounds) % 3
                            sent = kinds[kind]()
                            s = dial()
                            began = time.perf_counter()
                            s.sendall(sent)
                            data = s.recv(100)
                            took = time.perf_counter() - began
                            s.close()
                            # At most so many answers a second: what came too soon has none.
                            if data: times[kind].append(took); assert data == refusal, data.hex()
                        rounds += 1
                    for all in times: print(int(sorted(all)[len(all) // 2] * 1e9), len(all))
                    """, Self.key, in: host)
                #expect(lines.first == "01012263")
                let numbers = lines.dropFirst().map { $0.split(separator: " ").compactMap { Int($0) } }
                try #require(numbers.count == 3 && numbers.allSatisfy { $0.count == 2 && $0[1] >= 1000 }, "\(lines)")
                let medians = numbers.map { $0[0] }
                let (least, most) = (medians.min() ?? 0, medians.max() ?? 0)
                #expect(most - least < least / 8, "wrong key, replayed, unknown key number, in ns: \(medians)")
                print("measured: refusals of a wrong key, a replayed proof and an unknown key number in ns: \(medians)")
                withExtendedLifetime(braid) {}
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
                        # A refusal is followed by an end in order; a cookie is 12 bytes behind two zeros.
                        if answer != message():
                            try: rest = s.recv(100)
                            except ConnectionResetError: return "reset", answer
                            if rest: return rest.hex(), answer
                        if answer == error(32, [0]): return "not authorized", answer
                        if answer == error(3, b"\\0" + answer[8:20]): return "cookie", answer
                        return answer.hex(), answer
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
                        "good 01012263", "replayed not authorized", "stolen not authorized",
                        "other destination not authorized", "wrong not authorized", "none cookie", "old cookie",
                        "challenge 12 not authorized", "for another client cookie", "answered 01012263",
                        "again not authorized", "made up cookie",
                    ], "\(lines.joined(separator: "\n"))")
                // One record each, and nothing was dialled.
                server.kill()
                let ended = try await braid.connections(lines.count)
                let records = ended.filter { $0.result == "refused" }
                #expect(records.count == 10, "\(ended)")
                for record in records {
                    #expect(record["reason"] != nil && record["upstream"] == "direct+tcp://", "\(record)")
                    #expect(record["client"]?.hasPrefix("127.0.0.") == true, "\(record)")
                }
                try await braid.stop()
                #expect(braid.records("connection-ended").count == lines.count)
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
