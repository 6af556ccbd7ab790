import Lab
import Testing

extension EndToEndSuite {
    /// Passwords take long to look at, on purpose: who guesses must not keep others waiting.
    @Suite(.serialized) struct UserCheckTests {
        @Test func oneGuesserKeepsNobodyOut() async throws {
            try await Lab.with { lab in
                let host = try lab.host("alone")
                try await WhoAmIServer.start(in: host)
                let directory = try TemporaryDirectory()
                let users = directory.file("users")
                for user in ["anna", "bert"] {
                    try host.run([BraidProgram.path, "passwd", users, user], input: "word\n")
                }
                let braid = try await BraidProcess.start(
                    ChosenDestinationTests.direct
                        + "\nusers-file = \"\(users)\"\nhandshake-timeout = \"20s\"\n", in: host)
                let guesser = try host.spawn(["python3", "-uc", Self.guesser])
                try await guesser.line(containing: "guessing", timeout: .seconds(20))
                // Many more passwords wait than can be looked at in this time.
                for user in ["anna", "bert", "anna"] {
                    let began = ContinuousClock.now
                    let said = try host.curl(
                        "--proxy", "socks5h://127.0.0.1:1080", "--proxy-user", "\(user):word", "http://127.0.0.1:9000/")
                    #expect(said.contains("200"), "\(user): \(said)")
                    #expect(ContinuousClock.now - began < .seconds(5))
                }
                let turnedAway = try await braid.record { $0["reason"]?.contains("wait to be looked at") == true }
                #expect(turnedAway.result == "refused" && turnedAway["client"]?.hasPrefix("127.0.0.9:") == true)
                #expect(!braid.process.lines.contains { $0.contains("guess-") }, "passwords are not logged")
                let http = try host.curl(
                    "--interface", "127.0.0.9", "--proxytunnel", "--proxy", "http://127.0.0.1:3128", "--proxy-user",
                    "anna:guess-http", "http://127.0.0.1:9000/")
                #expect(http.contains("response 503") || http.contains("response 407"), "\(http)")
                guesser.terminate()
            }
        }

        /// Sixty-four clients at one address that try one password after the other.
        private static let guesser = """
            import itertools, socket, threading, time
            numbers = itertools.count()
            def run():
                while True:
                    try:
                        s = socket.create_connection(("127.0.0.1", 1080), 20, ("127.0.0.9", 0))
                        s.sendall(bytes([5, 1, 2])); s.recv(2)
                        password = b"guess-%d" % next(numbers)
                        s.sendall(bytes([1, 4]) + b"anna" + bytes([len(password)]) + password)
                        assert s.recv(2) != bytes([1, 0])
                        s.close()
                    except OSError: pass
                    time.sleep(0.02)
            for _ in range(64): threading.Thread(target=run, daemon=True).start()
            while next(numbers) < 200: threading.Event().wait(0.05)
            print("guessing")
            threading.Event().wait()
            """
    }
}
