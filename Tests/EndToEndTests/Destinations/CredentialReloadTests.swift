import FoundationEssentials
import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Keys and users while the daemon runs: files are read again at each reload.
    @Suite(.serialized) struct CredentialReloadTests {
        private static let hexadecimal = String(repeating: "0f", count: 32)

        private static func far(_ keys: String) -> String {
            """
            [[relay]]
            name = "far"
            listen = "convert://127.0.0.1:7143"
            upstream = "direct+tcp://"
            destinations = { allow = ["127.0.0.1:9000"] }
            key-file = "\(keys)"

            """
        }

        private func write(_ text: String, _ directory: TemporaryDirectory, _ name: String) throws {
            let file = try directory.write(text, to: name + ".new")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file)
            guard rename(file, directory.file(name)) == 0 else { throw POSIXError(.EIO) }
        }

        /// As the page says: the new key at the far end, then at the near end, then the old one goes. Nobody is refused.
        @Test func aKeyIsChangedUnderLoad() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9000])
                let directory = try TemporaryDirectory()
                let new = try BraidProgram.run(["keygen"], in: host).standardOutput
                try write(Self.hexadecimal + "\n", directory, "far")
                try write(Self.hexadecimal + "\n", directory, "near")
                let farConfig = Self.far(directory.file("far"))
                let far = try await BraidProcess.start(farConfig, in: host)
                let nearConfig = """
                    [[relay]]
                    name = "near"
                    listen = "socks5://127.0.0.1:1080"
                    upstream = "convert://127.0.0.1:7143"
                    key-file = "\(directory.file("near"))"
                    destinations = { allow = ["127.0.0.1:9000"] }

                    """
                let near = try await BraidProcess.start(nearConfig, in: host)
                let clients = try host.spawn(["python3", "-uc", Self.load, "4"])
                try await clients.line(containing: "50", timeout: .seconds(20))
                func step(_ braid: BraidProcess, _ config: String) async throws {
                    #expect(try await braid.reload(config).event == "configuration-reloaded")
                    let count = clients.lines.count
                    try await clients.line(containing: "", skipping: count + 1, timeout: .seconds(20))
                }
                try write(Self.hexadecimal + "\r\n" + new, directory, "far")
                try await step(far, farConfig)
                try write(new + "# \(Self.hexadecimal)\n", directory, "near")
                try await step(near, nearConfig)
                try write(new, directory, "far")
                try await step(far, farConfig)
                try clients.signal(SIGTERM)
                try await clients.finish(timeout: .seconds(20))
                #expect(!clients.lines.contains { $0.contains("failed") }, "\(clients.lines.suffix(3))")
                for braid in [far, near] {
                    #expect(!braid.records("connection-ended").contains { $0.result != "closed" })
                    for line in braid.process.lines {
                        #expect(!line.contains(Self.hexadecimal) && !line.contains(new.dropLast(2)))
                    }
                }
                // The old key is worth nothing now, and a file that is wrong changes nothing and is not quoted.
                let answer = try ConvertPeer.client(
                    "print(ask(prove(bytes.fromhex(sys.argv[1]), connect('127.0.0.1', 9000)))[:14])", Self.hexadecimal,
                    in: host)
                #expect(answer == ["010222631e0120"])
                try write("\(Self.hexadecimal) \(Self.hexadecimal)\n", directory, "far")
                let refused = try await far.reload(farConfig)
                #expect(refused.event == "reload-failed" && refused.message.contains("line 1"), "\(refused)")
                #expect(!far.process.lines.contains { $0.contains(Self.hexadecimal) })
            }
        }

        @Test func whatWasSeenStaysSeen() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                _ = try await NamedServers(in: host, ports: [9000])
                let directory = try TemporaryDirectory()
                try write(Self.hexadecimal + "\n", directory, "far")
                let config = Self.far(directory.file("far"))
                let far = try await BraidProcess.start(config, in: host)
                let proof = try ConvertPeer.client(
                    """
                    proof = prove(bytes.fromhex(sys.argv[1]), connect("127.0.0.1", 9000))
                    s = dial(); s.sendall(proof); print(read_message(s).hex()); print(proof.hex())
                    """, Self.hexadecimal, in: host)
                try #require(proof.count == 2 && proof[0] == "01012263", "\(proof)")
                func again() throws -> [String] {
                    try ConvertPeer.client("print(ask(bytes.fromhex(sys.argv[1]))[:14])", proof[1], in: host)
                }
                #expect(try await far.reload(config).event == "configuration-reloaded")
                #expect(try again() == ["010222631e0120"])
                // A new process has seen nothing: it wants the proof made again, and cannot be shown an old one.
                try await far.stop()
                _ = try await BraidProcess.start(config, in: host)
                #expect(try again() == ["010522631e0403"])
            }
        }

        @Test func aUserWhoIsRemovedStaysOut() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let directory = try TemporaryDirectory()
                let users = directory.file("users")
                for user in ["anna", "bert"] {
                    try host.run([BraidProgram.path, "passwd", users, user], input: "word\n")
                }
                let config = ChosenDestinationTests.direct + "\nusers-file = \"\(users)\"\n"
                let braid = try await BraidProcess.start(config, in: host)
                func ask(_ user: String) throws -> Bool {
                    try host.curl(
                        "--proxy", "socks5h://127.0.0.1:1080", "--proxy-user", "\(user):word", "http://127.0.0.1:9000/"
                    ).contains("200")
                }
                #expect(try ask("anna") && ask("bert"))
                try host.run(
                    "sh", "-c",
                    "grep -v ^anna: \(users) >\(users).new; chmod 600 \(users).new; mv \(users).new \(users)")
                // Not before it is told.
                #expect(try ask("anna"))
                #expect(try await braid.reload(config).event == "configuration-reloaded")
                #expect(try !ask("anna") && ask("bert"))
            }
        }

        /// So many clients that connect again and again through the near end, and say how many connections there were.
        private static let load = """
            import socket, sys, threading, signal
            stop, lock, count = threading.Event(), threading.Lock(), [0]
            signal.signal(signal.SIGTERM, lambda *a: stop.set())
            def run():
                while not stop.is_set():
                    try:
                        s = socket.create_connection(("127.0.0.1", 1080), 10)
                        s.sendall(bytes([5, 1, 0])); assert s.recv(2) == bytes([5, 0])
                        s.sendall(bytes([5, 1, 0, 1, 127, 0, 0, 1, 9000 >> 8, 9000 & 255]))
                        reply = s.recv(10)
                        assert reply[1] == 0, reply
                        s.sendall(b"who"); assert s.recv(4) == b"9000"
                        s.shutdown(socket.SHUT_WR); assert s.recv(4) == b""
                        s.close()
                    except Exception as e: print("failed", repr(e))
                    with lock:
                        count[0] += 1
                        if count[0] % 50 == 0: print(count[0])
            threads = [threading.Thread(target=run) for _ in range(int(sys.argv[1]))]
            for t in threads: t.start()
            while not stop.is_set(): stop.wait(0.1)
            for t in threads: t.join()
            """
    }
}
