import Lab
import Testing

extension EndToEndSuite {
    /// What clients say first is bounded in size and time, whatever it is.
    @Suite(.serialized) struct SlowHandshakeTests {
        private static let template = """
            [[relay]]
            name = "any"
            listen = ["socks5://127.0.0.1:1080", "http://127.0.0.1:3128"]
            upstream = "direct+tcp://"
            destinations = { allow = ["127.0.0.1:9000"] }
            handshake-timeout = "TIME"
            [[relay]]
            name = "converter"
            listen = "convert://127.0.0.1:7143"
            upstream = "direct+tcp://"
            destinations = { allow = ["127.0.0.1:9000"] }
            handshake-timeout = "TIME"
            [[relay]]
            name = "behind-proxy"
            listen = "tcp://127.0.0.1:8080"
            upstream = "tcp://127.0.0.1:9000"
            accept-proxy = true
            handshake-timeout = "TIME"

            """

        private static func relays(handshakeTimeout: String) -> String {
            template.replacing("TIME", with: handshakeTimeout)
        }

        /// Ten thousand clients that say a byte a second, a quarter of them to each kind of listener, keep nobody out, and are
        /// gone when their time is over.
        @Test func slowClientsKeepNobodyOut() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host, address: "127.0.0.1")
                let braid = try await BraidProcess.start(Self.relays(handshakeTimeout: "20s"), in: host)
                let slow = try host.spawn(["python3", "-uc", Self.slowProgram])
                let open = try await slow.line(containing: "all open", timeout: .seconds(60))
                #expect(open == "all open: 10000", "this machine allows too few open files (ulimit -Hn)")
                for _ in 0..<3 {
                    for kind in ["socks5", "http", "convert", "proxy"] {
                        let began = ContinuousClock.now
                        let answer = try host.run(["python3", "-c", Self.realProgram, kind]).standardOutput
                        #expect(answer == "127.0.0.1\n", "\(kind)")
                        #expect(ContinuousClock.now - began < .seconds(3), "\(kind)")
                    }
                }
                #expect(try braid.residentBytes() < 120 << 20)
                let closed = try await slow.line(containing: "all closed", timeout: .seconds(60))
                #expect(closed == "all closed: 0 of them in order", "a handshake that took too long ends with a reset")
            }
        }

        private static let slowProgram = """
            import resource, selectors, socket, time
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            poll = selectors.DefaultSelector()
            slow = []
            words = [bytes([5, 200]) + bytes(200), b"CONNECT localhost:9000 HTTP/1.1", bytes([1, 50, 0x22, 0x63, 10, 49]) + bytes(200),
                b"PROXY TCP4 198.51.100.7 198.51.100.8 1000 2000"]
            for i in range(min(10000, hard - 1000)):
                s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262 if i % 4 == 2 else 0)
                s.connect(("127.0.0.1", (1080, 3128, 7143, 8080)[i % 4]))
                s.setblocking(False)
                slow.append(s)
                poll.register(s, selectors.EVENT_READ)
            print("all open:", len(slow))
            at, left, ends, reset = 0, len(slow), 0, set()
            while left:
                for i, s in enumerate(slow):
                    try: s.send(words[i % 4][at:at+1])
                    except BlockingIOError: pass
                    # Whoever hears of a reset here reads an end afterwards.
                    except OSError: reset.add(s)
                at += 1
                until = time.monotonic() + 1
                while left and time.monotonic() < until:
                    for key, _ in poll.select(max(0, until - time.monotonic())):
                        try: ends += not key.fileobj.recv(100) and key.fileobj not in reset
                        except OSError: pass
                        poll.unregister(key.fileobj)
                        left -= 1
            print("all closed:", ends, "of them in order")
            """

        /// One client that is not slow: what the server at the end says.
        private static let realProgram = """
            import socket, sys
            kind = sys.argv[1]
            port = {"socks5": 1080, "http": 3128, "convert": 7143, "proxy": 8080}[kind]
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262 if kind == "convert" else 0)
            s.settimeout(10)
            s.connect(("127.0.0.1", port))
            address = bytes([127, 0, 0, 1])
            first, answer = {
                "socks5": (bytes([5, 1, 0, 5, 1, 0, 1]) + address + b"\\x23\\x28", 12),
                "http": (b"CONNECT 127.0.0.1:9000 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", 39),
                "convert": (bytes([1, 6, 0x22, 0x63, 10, 5, 0x23, 0x28]) + bytes(10) + b"\\xff\\xff" + address, 4),
                "proxy": (b"PROXY TCP4 198.51.100.7 198.51.100.8 1000 2000\\r\\n", 0),
            }[kind]
            s.sendall(first + b"GET / HTTP/1.0\\r\\n\\r\\n")
            data = b""
            while part := s.recv(65536): data += part
            print(data[answer:].split(b"\\r\\n\\r\\n")[1].decode(), end="")
            """

        /// What each kind answers to what it cannot take, to the last byte, and that the end is in order.
        @Test func whatIsWrongIsAnsweredToTheLastByte() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relays(handshakeTimeout: "5s"), in: host)
                func answer(_ port: Int, _ sent: String) throws -> String {
                    try host.run(["python3", "-c", Self.askProgram, "\(port)", sent]).standardOutput
                }
                func response(_ status: String, _ why: String, _ more: String = "") -> String {
                    let head = "HTTP/1.1 \(status)\r\n\(more)Content-Type: text/plain; charset=utf-8\r\n"
                    return "\(head)Content-Length: \(why.utf8.count + 1)\r\nConnection: close\r\n\r\n\(why)\n end"
                }
                let bad = response("400 Bad Request", "a malformed request")
                let wrong = [
                    "b'CONNECT localhost HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'",
                    "b'CONNECT localhost:0 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'",
                    "b'CONNECT localhost:9000 HTTP/1.1\\r\\n\\r\\n'", "b'CONNECT localhost:9000 HTTP/2\\r\\n\\r\\n'",
                    "b'CONNECT localhost:9000 HTTP/1.1\\r\\nHost: a\\r\\nHost: a\\r\\n\\r\\n'",
                    "b'CONNECT  localhost:9000 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'",
                    "b'CONNECT localhost:9000 HTTP/1.1\\r\\nHost : a\\r\\n\\r\\n'",
                    "b'CONNECT localhost:9000 HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 4\\r\\n\\r\\nbody'",
                    "b'\\x16\\x03\\x01\\x02\\x00'",
                ]
                for sent in wrong { #expect(try answer(3128, sent) == bad, "\(sent)") }
                let head = "b'CONNECT localhost:9000 HTTP/1.1\\r\\nHost: a\\r\\nX: '"
                let tooLarge = response("431 Request Header Fields Too Large", "a request of more than 16 KiB")
                #expect(try answer(3128, "\(head) + bytes(97 for i in range(20000))") == tooLarge)
                #expect(try answer(3128, "\(head) + bytes(97 for i in range(16384)) + b'\\r\\n\\r\\n'") == tooLarge)
                #expect(
                    try answer(3128, "b'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'")
                        == response("405 Method Not Allowed", "another method than CONNECT", "Allow: CONNECT\r\n"))
                // SOCKS5: BIND, UDP, an unknown address type, no method in common, another version.
                let chosen = "\u{5}\0"
                func reply(_ code: UInt8) -> String {
                    chosen + String(decoding: [5, code, 0, 1] + [UInt8](repeating: 0, count: 6), as: UTF8.self) + " end"
                }
                #expect(try answer(1080, "bytes([5,1,0, 5,2,0,1,127,0,0,1,35,40])") == reply(7))
                #expect(try answer(1080, "bytes([5,1,0, 5,3,0,1,127,0,0,1,35,40])") == reply(7))
                #expect(try answer(1080, "bytes([5,1,0, 5,1,0,2,127,0,0,1,35,40])") == reply(8))
                #expect(try answer(1080, "bytes([5,1,0, 5,1,0,1,127,0,0,1,0,22])") == reply(2))
                #expect(try answer(1080, "bytes([5,1,0, 5,1,0,1,127,0,0,1,35,40])") == reply(5), "nobody listens there")
                #expect(try answer(1080, "bytes([5,1,1])") == "\u{5}\u{FFFD} end")
                #expect(try answer(1080, "bytes([4,1,35,40,127,0,0,1,0])") == " reset")
                // One record each, none of which says that it went well.
                let count = wrong.count + 3 + 7
                let records = try await braid.connections(count)
                #expect(records.allSatisfy { ["refused", "connect-failed"].contains($0.result) }, "\(records)")
                try await braid.stop()
                #expect(braid.records("connection-ended").count == count)
            }
        }

        /// Sends an expression's bytes, and prints what comes until the end, and how it ends.
        private static let askProgram = """
            import socket, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
            s.sendall(eval(sys.argv[2]))
            data, how = b"", " end"
            try:
                while part := s.recv(65536): data += part
            except ConnectionResetError: how = " reset"
            sys.stdout.buffer.write(data.decode(errors="replace").encode() + how.encode())
            """

        /// Greeting, request and data in one go, without waiting for any answer.
        @Test func aClientThatDoesNotWaitLosesNothing() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let peer = try Peer(in: host)
                try await peer.must("s listen 127.0.0.1 9000")
                _ = try await BraidProcess.start(Self.relays(handshakeTimeout: "5s"), in: host)
                let early = 100_000
                let accepted = try peer.begin("s accept u")
                let client = try host.spawn(["python3", "-uc", Self.eagerProgram, "\(early)"])
                #expect(try await accepted.answer() == "ok")
                let got = try await peer.must("u read-bytes \(early)")
                try await peer.must("u send answer")
                try await peer.must("u close")
                let said = try await client.line(containing: "said")
                #expect(got == said.replacing("said ", with: ""))
                try await client.line(containing: "got 0500 05000001")
                try await client.line(containing: "then answer end")
            }
        }

        private static let eagerProgram = """
            import hashlib, socket, sys
            s = socket.create_connection(("127.0.0.1", 1080), 10)
            early = (hashlib.sha256(b"early").digest() * 4000)[:int(sys.argv[1])]
            s.sendall(bytes([5, 1, 0]) + bytes([5, 1, 0, 1, 127, 0, 0, 1]) + (9000).to_bytes(2, "big") + early)
            print("said", len(early), hashlib.sha256(early).hexdigest())
            data = b""
            while part := s.recv(65536): data += part
            print("got", data[:2].hex(), data[2:12].hex())
            print("then", data[12:].decode(), "end")
            """

        /// Half of what a client has to say first, and silence.
        @Test func halfAHandshakeEndsInTime() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                let braid = try await BraidProcess.start(Self.relays(handshakeTimeout: "400ms"), in: host)
                let halves = [
                    (1080, ""), (1080, "bytes([5])"), (1080, "bytes([5,1,0,5,1])"), (3128, "b'CONNECT a'"),
                    (7143, ""), (7143, "bytes([1,6,34,99,10,5,35])"), (8080, "b'PROXY TCP4 1'"),
                    (8080, "b'\\r\\n\\r\\n\\0\\r\\nQUIT\\n'"),
                ]
                for (port, sent) in halves {
                    let answer = try host.run(
                        ["python3", "-c", Self.askProgram, "\(port)", sent.isEmpty ? "b''" : sent])
                    #expect(answer.standardOutput.hasSuffix(" reset"), "\(port) \(sent): \(answer)")
                }
                let records = try await braid.connections(halves.count)
                for record in records {
                    #expect(record.result == "handshake-timeout", "\(record)")
                    #expect((390_000..<3_000_000).contains(record.number("duration_usec") ?? 0), "\(record)")
                }
            }
        }
    }
}
