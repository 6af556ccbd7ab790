import Credentials
import Testing
import Wire

@Suite struct CredentialTests {
    @Test func the_authentication_code_is_that_of_rfc_4231() {
        // Test case 2.
        let code = Secrets.authenticationCode(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(
            Secrets.hexadecimal(code)
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test func secrets_are_compared_whole() {
        #expect(Secrets.equal([1, 2, 3], [1, 2, 3]))
        #expect(!Secrets.equal([1, 2, 3], [1, 2, 4]))
        #expect(!Secrets.equal([1, 2, 3], [1, 2]))
        #expect(!Secrets.equal([], [1]))
        #expect(Secrets.random(32) != Secrets.random(32))
    }

    @Test func every_byte_has_two_digits_as_text() {
        #expect(Secrets.hexadecimal([0, 0x0a, 0x7f, 0xff]) == "000a7fff")
        #expect(Secrets.hexadecimal([]).isEmpty)
    }

    // MARK: Keys

    private let hexadecimal = String(repeating: "0f", count: 32)

    @Test func reads_keys() throws {
        let line = KeyFile.newLine()
        #expect(line.utf8.count == 44)
        let file = try KeyFile(text: "# keys\n\n\(line)\n9 \(hexadecimal)  # old\n\(line.dropLast())\n")
        #expect(file.keys.map(\.id) == [0, 9, 2])
        #expect(file.keys[1].bytes == Array(repeating: 0x0F, count: 32))
        #expect(file.keys[0].bytes == file.keys[2].bytes)
    }

    @Test(arguments: ["", "# nothing", "short", "256 X", "AAAA", "1 2 3", "\u{0}", "====", "é"])
    func refuses_what_is_no_key(text: String) {
        #expect(throws: CredentialError.self) { try KeyFile(text: text) }
        #expect(throws: CredentialError.self) { try KeyFile(text: text + String(repeating: "0f", count: 31)) }
    }

    /// What is said goes to the log: a key that stands in the wrong place must not.
    @Test func nothing_of_a_file_is_said() throws {
        let key = KeyFile.newLine()
        let password = "correct-horse-battery"
        var messages: [String] = []
        func note(_ read: () throws(CredentialError) -> Void) {
            do throws(CredentialError) {
                try read()
                Issue.record("it was taken")
            } catch {
                messages.append("\(error)")
            }
        }
        for text in [
            "\(key) \(key)", "\(hexadecimal) x", "\(key)==", "1 \(key.dropFirst())", "1 2 \(key)", "x\(hexadecimal)",
            "\(key) # \(key)\n\(key) 1", "\(key)\0",
        ] {
            note { () throws(CredentialError) in _ = try KeyFile(text: text) }
        }
        let hash = try PasswordHash.make(Array(password.utf8))
        for text in [
            "\(password):\(password)", password, "anna:\(password)", "\(password):$1$\(password)",
            "\(password):\(hash)\n\(password):\(hash)",
        ] {
            note { () throws(CredentialError) in _ = try UsersFile(text: text) }
        }
        #expect(messages.count == 13)
        for message in messages {
            #expect(!message.contains(password) && !message.contains(hexadecimal.dropFirst()), "\(message)")
            for start in 0..<(key.count - 8) {
                #expect(!message.contains(key.dropFirst(start).prefix(8)), "\(message)")
            }
        }
    }

    @Test func lines_end_as_any_editor_ends_them() throws {
        let file = try KeyFile(text: "# keys\r\n7 \(hexadecimal)\r\n\r\n\(KeyFile.newLine())\r\n")
        #expect(file.keys.map(\.id) == [7, 1])
        #expect(throws: CredentialError.self) { try KeyFile(text: "\(hexadecimal)\r\nshort\r\n") }
        let hash = try PasswordHash.make(Array("word".utf8))
        let users = try UsersFile(text: "# users\r\nanna:\(hash)\r\nbert:\(hash)\r\n")
        #expect(users.hashes.keys.sorted() == ["anna", "bert"])
        #expect(users.verify(name: Array("bert".utf8), password: Array("word".utf8)))
        #expect(UsersFile.text("a:1\r\nb:2\r\n", setting: "b", to: "3") == "a:1\nb:3\n")
    }

    // MARK: Proofs

    private func message(_ port: UInt16 = 443) -> ConvertMessage {
        ConvertMessage([.connect(.init(IPEndpoint(.ipv4(0xC000_0201), port: port)))])
    }

    private func verdict(
        _ bytes: [UInt8], _ verifier: ConvertVerifier, client: [UInt8] = [192, 0, 2, 9], at time: UInt64 = 1_000_000_000
    ) -> ConvertVerifier.Verdict? {
        guard case .complete(let parsed, bytes.count) = ConvertMessage.parse(bytes.span) else { return nil }
        return verifier.verify(bytes, cookie: parsed.cookie, client: client, milliseconds: time)
    }

    @Test func a_proof_is_good_once() throws {
        let file = try KeyFile(text: hexadecimal)
        let verifier = ConvertVerifier(file, began: 0)
        let bytes = ConvertProver(file).sign(message(), milliseconds: 1_000_000_000)
        #expect(verdict(bytes, verifier) == .good)
        #expect(verdict(bytes, verifier) == .replayed)
        #expect(verdict(bytes, verifier, at: 1_000_029_999) == .replayed)
        #expect(verdict(ConvertProver(file).sign(message(), milliseconds: 1_000_000_000), verifier) == .good)
    }

    /// Another process may have taken it, and nobody knows any more.
    @Test func a_proof_from_before_the_start_is_made_again() throws {
        let file = try KeyFile(text: hexadecimal)
        let verifier = ConvertVerifier(file, began: 1_000_000_000)
        let early = ConvertProver(file).sign(message(), milliseconds: 999_999_999)
        guard case .challenge(let challenge) = verdict(early, verifier) else {
            Issue.record("not challenged")
            return
        }
        let again = ConvertProver(file).sign(message(), milliseconds: 999_999_999, challenge: challenge)
        #expect(verdict(again, verifier) == .good)
        #expect(verdict(again, verifier) == .replayed)
        // A reload is no new start.
        let reloaded = ConvertVerifier(file, after: verifier, began: 5)
        #expect(verdict(again, reloaded) == .replayed)
        guard case .challenge = verdict(early, reloaded) else {
            Issue.record("not challenged")
            return
        }
        #expect(verdict(ConvertProver(file).sign(message(), milliseconds: 1_000_000_000), verifier) == .good)
    }

    @Test func any_key_of_the_far_end_is_taken() throws {
        let new = KeyFile.newLine()
        let verifier = ConvertVerifier(try KeyFile(text: "\(new)\n\(hexadecimal)"), began: 0)
        for text in [new, hexadecimal, "77 \(hexadecimal)"] {
            let bytes = ConvertProver(try KeyFile(text: text)).sign(message(), milliseconds: 1_000_000_000)
            #expect(verdict(bytes, verifier) == .good)
        }
    }

    @Test func every_changed_byte_is_found() throws {
        let file = try KeyFile(text: hexadecimal)
        let verifier = ConvertVerifier(file, began: 0)
        let bytes = ConvertProver(file).sign(message(), milliseconds: 1_000_000_000)
        for index in bytes.indices {
            var bad = bytes
            bad[index] ^= 1
            if let verdict = verdict(bad, verifier), verdict == .good { Issue.record("byte \(index)") }
        }
        let other = ConvertProver(try KeyFile(text: KeyFile.newLine())).sign(message(), milliseconds: 1_000_000_000)
        #expect(verdict(other, verifier) == .wrongKey)
    }

    @Test(arguments: [0, 30_001, 3_600_000] as [UInt64])
    func a_clock_that_is_off_is_challenged_once(distance: UInt64) throws {
        let file = try KeyFile(text: hexadecimal)
        let verifier = ConvertVerifier(file, began: 0)
        let prover = ConvertProver(file)
        let now: UInt64 = 1_000_000_000
        let first = distance == 0 ? message().bytes() : prover.sign(message(), milliseconds: now - distance)
        guard case .challenge(let challenge) = verdict(first, verifier, at: now) else {
            Issue.record("not challenged")
            return
        }
        #expect(challenge.count == 12)
        let second = prover.sign(message(), milliseconds: 5, challenge: challenge)
        // For another client, too late, and of another far end it is worth nothing.
        for stolen in [
            verdict(second, verifier, client: [192, 0, 2, 10], at: now), verdict(second, verifier, at: now + 40_000),
            verdict(second, ConvertVerifier(file, began: 0), at: now),
        ] {
            guard case .challenge = stolen else {
                Issue.record("\(String(describing: stolen))")
                return
            }
        }
        #expect(verdict(second, verifier, at: now + 1000) == .good)
        #expect(verdict(second, verifier, at: now + 1000) == .replayed)
        let wrong = ConvertProver(try KeyFile(text: KeyFile.newLine()))
        #expect(verdict(wrong.sign(message(), milliseconds: 5, challenge: challenge), verifier, at: now) == .wrongKey)
    }

    @Test func what_was_seen_is_remembered_for_as_long_as_it_is_good() throws {
        let file = try KeyFile(text: hexadecimal)
        let verifier = ConvertVerifier(file, began: 0)
        let now: UInt64 = 1_000_000_000
        let ahead = ConvertProver(file).sign(message(), milliseconds: now + 30_000)
        #expect(verdict(ahead, verifier, at: now) == .good)
        for later in stride(from: 1_000, through: 60_000, by: 1_000) as StrideThrough<UInt64> {
            let other = ConvertProver(file).sign(message(), milliseconds: now + later)
            #expect(verdict(other, verifier, at: now + later) == .good)
            #expect(verdict(ahead, verifier, at: now + later) == .replayed)
        }
    }

    // MARK: Users

    @Test func passwords_are_hashed_and_verified() throws {
        let hash = try PasswordHash.make(Array("correct horse".utf8))
        #expect(hash.hasPrefix("$y$"))
        #expect(PasswordHash.isUsable(hash))
        let users = try UsersFile(text: "# users\nanna:\(hash)\n\n")
        #expect(users.verify(name: Array("anna".utf8), password: Array("correct horse".utf8)))
        for (name, password) in [
            ("anna", "correct hors"), ("anna", ""), ("bert", "correct horse"), ("", "correct horse"),
            ("anna", "correct horse\0"),
        ] {
            #expect(!users.verify(name: Array(name.utf8), password: Array(password.utf8)))
        }
        #expect(!users.verify(name: [0xFF], password: [0xFF]))
    }

    /// SHA-256 takes a fraction of what yescrypt takes: who is asked about must not show in the time.
    @Test func a_mixed_file_takes_the_same_time_for_everyone() throws {
        let slow = try PasswordHash.make(Array("word".utf8))
        // "word", 1000 rounds.
        let quick = "$5$rounds=1000$abcdefgh$\(String(repeating: "x", count: 43))"
        let users = try UsersFile(text: "slow:\(slow)\nquick:\(quick)\nother:\(slow)\n")
        func time(_ name: String) -> Duration {
            (0..<3).map { _ in
                ContinuousClock().measure { #expect(!users.verify(name: Array(name.utf8), password: [0x2D])) }
            }.min() ?? .zero
        }
        let times = ["slow", "quick", "nobody"].map { time($0) }
        let least = times.min() ?? .zero
        for time in times { #expect(time < least * 2, "\(times)") }
        #expect(users.verify(name: Array("other".utf8), password: Array("word".utf8)))
    }

    @Test(arguments: ["anna", "anna:plain", ":x", "anna:$1$abc$KbVpOXEWjJ1OR5bqIPXlQ/", "anna:", "anna:$y$", ""])
    func refuses_lines_that_are_wrong(line: String) {
        #expect(throws: CredentialError.self) { try UsersFile(text: line) }
    }

    @Test func a_user_is_added_or_changed() {
        #expect(UsersFile.text("", setting: "a", to: "1") == "a:1\n")
        #expect(UsersFile.text("# x\na:1\nab:2\n", setting: "a", to: "3") == "# x\na:3\nab:2\n")
        #expect(UsersFile.text("a:1", setting: "b", to: "2") == "a:1\nb:2\n")
    }
}
