import Lab
import Testing

extension EndToEndSuite {
    /// SOCKS5 and CONNECT: applications as they are, and the true cause when something is wrong.
    @Suite(.serialized) struct ChosenDestinationTests {
        static let direct = """
            [[relay]]
            name = "any"
            listen = ["socks5://127.0.0.1:1080", "http://127.0.0.1:3128"]
            upstream = "direct+tcp://"
            connect-timeout = "500ms"
            destinations = { allow = ["127.0.0.1:9000-9099", "[::1]:9000", "localhost:9000-9099", "10.0.0.0/8", "192.0.2.0/24"] }
            """

        @Test func curlByNameAndAddress() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let braid = try await BraidProcess.start(Self.direct, in: host)
                for target in ["http://localhost:9000/", "http://127.0.0.1:9000/", "http://[::1]:9000/"] {
                    for proxy in [
                        ["--socks5-hostname", "127.0.0.1:1080"], ["--socks5", "127.0.0.1:1080"],
                        ["--proxytunnel", "--proxy", "http://127.0.0.1:3128"],
                    ] {
                        // curl resolves localhost itself then, and may get ::1.
                        let answer = try host.run(
                            [try Application.curl.path, "--silent", "--show-error", "--fail", target] + proxy)
                        #expect(["127.0.0.1\n", "::1\n"].contains(answer.standardOutput), "\(target) \(proxy)")
                    }
                }
                let record = try await braid.connections()[0]
                #expect(record["destination"] == "localhost:9000", "\(record)")
                #expect(record["result"] == "closed", "\(record)")
                #expect(record["upstream"]?.hasPrefix("direct+tcp://") == true, "\(record)")
            }
        }

        @Test func secureShellThroughAProxyCommand() async throws {
            try await TwoEnds.with(ports: []) { ends in
                let server = try await SecureShellServer.start(ends, port: 9022)
                _ = try await BraidProcess.start(Self.direct, in: ends.far)
                for (kind, port) in [("5", 1080), ("connect", 3128)] {
                    let command = "\(try Application.netcat.path) -X \(kind) -x 127.0.0.1:\(port) %h %p"
                    let output = try ends.far.run(
                        [try Application.ssh.path] + server.clientOptions + [
                            "-p", "9022", "-o", "ProxyCommand=\(command)", server.destination, "echo through",
                        ])
                    #expect(output.standardOutput == "through\n")
                }
            }
        }

        @Test func eachCauseHasItsReply() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let other = try lab.host("other")
                let link = try lab.link(host, other, name: "eth0")
                link.blackhole(true)
                let braid = try await BraidProcess.start(Self.direct, in: host)
                // Refused, no route, no answer, not allowed, no such name.
                let causes: [(target: String, socks: String, http: String)] = [
                    ("127.0.0.1:9001", "(5)", "502"), ("192.0.2.1:80", "(3)", "502"),
                    ("\(link.address(of: other)):80", "(6)", "504"), ("127.0.0.1:22", "(2)", "403"),
                    ("no-such-name.invalid:80", "(4)", "502"),
                ]
                for cause in causes {
                    let socks = try host.curl("--socks5-hostname", "127.0.0.1:1080", "http://\(cause.target)/")
                    #expect(socks.contains(cause.socks), "\(cause.target): \(socks)")
                    let http = try host.curl(
                        "--proxytunnel", "--proxy", "http://127.0.0.1:3128", "http://\(cause.target)/")
                    #expect(http.contains("response \(cause.http)"), "\(cause.target): \(http)")
                }
                // A client's wrong destination is no failure of the relay's.
                #expect(braid.records("upstream-failed").isEmpty)
                let get = try host.curl("--proxy", "http://127.0.0.1:3128", "http://127.0.0.1:9000/")
                #expect(get.contains("405"), "\(get)")
            }
        }

        /// Another command than CONNECT, and an address of a type that there is not.
        @Test func socksSaysWhatItDoesNotSpeak() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.direct, in: host)
                let output = try host.run([
                    "python3", "-c",
                    """
                    import socket
                    for request in ["05020001 7f000001 2328", "05030001 7f000001 2328", "05010002 7f000001 2328"]:
                        s = socket.create_connection(("127.0.0.1", 1080), 10)
                        s.sendall(bytes([5, 1, 0])); s.recv(2)
                        s.sendall(bytes.fromhex(request))
                        reply = b""
                        while part := s.recv(100): reply += part
                        print(reply.hex())
                    """,
                ])
                let replies = output.standardOutput.split(separator: "\n").map(String.init)
                let nowhere = "0001000000000000"
                #expect(replies == ["0507\(nowhere)", "0507\(nowhere)", "0508\(nowhere)"], "\(replies)")
                // Each loop writes its own records: in which order is nobody's promise.
                let reasons = try await braid.connections(3).map { $0["reason"] ?? "" }.sorted()
                let other = "another command than CONNECT"
                #expect(reasons == ["an unknown address type", other, other])
            }
        }

        @Test func theDestinationMayBeDialledOverMultipath() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(
                    Self.direct.replacing("direct+tcp://", with: "direct+mptcp://"), in: host)
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9001 mptcp")
                let pending = try peer.begin("s accept t")
                let client = try host.spawn([
                    "sh", "-c", "printf 'CONNECT 127.0.0.1:9001 HTTP/1.0\\r\\n\\r\\nhello' | nc -N 127.0.0.1 3128",
                ])
                #expect(try await pending.answer() == "ok")
                #expect(try await peer.must("t read 5") == "hello")
                try await peer.must("t send bye")
                try await peer.must("t close")
                try await client.finish()
                let record = try await braid.connections()[0]
                #expect(record["multipath"] == "yes", "\(record)")
                #expect(record["upstream"] == "direct+mptcp://127.0.0.1:9001", "\(record)")
            }
        }

        /// An address that a reload has given up may be reached when somebody else listens there; and where the kernel listens
        /// for joins, nobody may go.
        @Test func ownAddressesFollowTheConfiguration() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.run("ip", "address", "add", "10.0.0.77/32", "dev", "lo")
                let given = "[[relay]]\nname = \"given\"\nlisten = \"tcp://10.0.0.77:8099\"\nupstream = \"echo://\"\n"
                let ports = """

                    [paths]
                    manage = true
                    [[paths.link]]
                    address = "10.0.0.77"
                    announce = true
                    port = 7144

                    """
                let braid = try await BraidProcess.start(Self.direct + ports + given, in: host)
                func ask(_ port: Int) throws -> String {
                    try host.curl("--socks5-hostname", "127.0.0.1:1080", "http://10.0.0.77:\(port)/")
                }
                #expect(try ask(8099).contains("(2)"))
                #expect(try ask(7144).contains("(2)"))
                #expect(try ask(7145).contains("(5)"))
                #expect(try await braid.reload(Self.direct + ports).event == "configuration-reloaded")
                // The loops close it a moment after.
                let deadline = ContinuousClock.now + .seconds(10)
                while try host.listens(port: 8099), ContinuousClock.now < deadline { await Task.yield() }
                let server = try await WhoAmIServer.start(in: host, address: "10.0.0.77", port: 8099)
                #expect(try ask(8099).contains("200"))
                #expect(try ask(7144).contains("(2)"))
                server.terminate()
                _ = try await server.finish(timeout: .seconds(10))
                #expect(try await braid.reload(Self.direct + ports + given).event == "configuration-reloaded")
                #expect(try ask(8099).contains("(2)"))
            }
        }

        /// Loopback and its disguises, link-local, and the daemon itself.
        @Test(arguments: [
            "127.0.0.1:80", "127.9.9.9:80", "0.0.0.0:80", "0.1.2.3:80", "[::1]:80", "[::]:80", "[::ffff:127.0.0.1]:80",
            "[::ffff:0.0.0.0]:80", "[::127.0.0.1]:80", "[64:ff9b::127.0.0.1]:80", "[2002:7f00:1::]:80",
            "[64:ff9b:1::127.0.0.1]:80", "[2001:0:808:808:0:0:80ff:fffe]:80", "[::ffff:0:127.0.0.1]:80",
            "169.254.169.254:80",
            "[::ffff:169.254.169.254]:80", "[fe80::1]:80", "224.0.0.1:80", "[ff02::1]:80", "255.255.255.255:80",
            "localhost:80", "10.0.0.77:1080", "10.0.0.77:3128",
        ])
        func whatNobodyMayReach(target: String) async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try host.run("ip", "address", "add", "10.0.0.77/32", "dev", "lo")
                let braid = try await BraidProcess.start(
                    """
                    [[relay]]
                    listen = ["socks5://10.0.0.77:1080", "http://*:3128"]
                    upstream = "direct+tcp://"
                    destinations = { allow = ["*", "0.0.0.0/0", "::/0", ":80", "local*"] }
                    allow = ["10.0.0.0/8"]
                    """, in: host)
                let socks = try host.curl(
                    "--interface", "10.0.0.77", "--socks5-hostname", "10.0.0.77:1080", "http://\(target)/")
                #expect(socks.contains("(2)"), "\(socks)")
                let http = try host.curl(
                    "--interface", "10.0.0.77", "--proxytunnel", "--proxy", "http://10.0.0.77:3128", "http://\(target)/"
                )
                #expect(http.contains("response 403"), "\(http)")
                for record in try await braid.connections(2) {
                    #expect(record.result == "refused", "\(record)")
                    #expect(record["reason"] != nil, "\(record)")
                }
            }
        }

        @Test func usersWithPasswords() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let directory = try TemporaryDirectory()
                let users = directory.file("users")
                try host.run([BraidProgram.path, "passwd", users, "anna"], input: "wrong\n")
                try host.run([BraidProgram.path, "passwd", users, "bert"], input: "second\n")
                try host.run([BraidProgram.path, "passwd", users, "anna"], input: "first word\n")
                let text = try host.run("cat", users).standardOutput
                #expect(text.split(separator: "\n").count == 2 && !text.contains("first"))
                let braid = try await BraidProcess.start(
                    Self.direct + "\nusers-file = \"\(users)\"\n", in: host)
                let target = "http://127.0.0.1:9000/"
                for (user, isRight) in [
                    ("anna:first word", true), ("bert:second", true), ("anna:first word", true), ("anna:wrong", false),
                    ("carl:second", false), ("bert:first word", false),
                ] {
                    let socks = try host.curl(
                        "--proxy", "socks5h://127.0.0.1:1080", "--proxy-user", user, target)
                    #expect(socks.contains("200") == isRight, "\(user): \(socks)")
                    let http = try host.curl(
                        "--proxytunnel", "--proxy", "http://127.0.0.1:3128", "--proxy-user", user, target)
                    #expect(http.contains(isRight ? "200" : "response 407"), "\(user): \(http)")
                }
                #expect(try !host.curl("--socks5-hostname", "127.0.0.1:1080", target).contains("200"))
                #expect(
                    try host.curl("--proxytunnel", "--proxy", "http://127.0.0.1:3128", target).contains("response 407"))
                let record = try await braid.connections()[0]
                #expect(record["user"] == "anna", "\(record)")
            }
        }
    }
}
