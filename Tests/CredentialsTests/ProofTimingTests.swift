import Credentials
import Testing
import Wire

/// The time that a refusal takes says nothing about what was wrong with the proof.
@Suite(.timeLimit(.minutes(2))) struct ProofTimingTests {
    /// Ten thousand of each, turn by turn, so that whatever else the machine does meets all of them alike.
    @Test func every_refused_proof_takes_the_same_time() throws {
        let key = KeyFile.newLine()
        // The far end has several keys, and the right one is neither the first nor the last.
        let verifier = ConvertVerifier(
            try KeyFile(text: "\(KeyFile.newLine())\n\(key)\n\(KeyFile.newLine())"), began: 0)
        let message = ConvertMessage([.connect(.init(IPEndpoint(.ipv4(0xC000_0201), port: 443)))])
        let now: UInt64 = 1_000_000_000
        let right = ConvertProver(try KeyFile(text: "1 \(key)"))
        let wrong = ConvertProver(try KeyFile(text: "1 \(KeyFile.newLine())"))
        let unknown = ConvertProver(try KeyFile(text: "200 \(KeyFile.newLine())"))
        let replayed = right.sign(message, milliseconds: now)
        let client: [UInt8] = [192, 0, 2, 9]
        func verdict(_ bytes: [UInt8], _ cookie: [UInt8]?) -> ConvertVerifier.Verdict {
            verifier.verify(bytes, cookie: cookie, client: client, milliseconds: now)
        }
        guard case .complete(let parsed, _) = ConvertMessage.parse(replayed.span) else {
            Issue.record("no message")
            return
        }
        #expect(verdict(replayed, parsed.cookie) == .good)

        let kinds: [(expected: ConvertVerifier.Verdict, sign: () -> [UInt8])] = [
            (.wrongKey, { wrong.sign(message, milliseconds: now) }),
            (.replayed, { replayed }),
            (.wrongKey, { unknown.sign(message, milliseconds: now) }),
        ]
        var times = Array(repeating: [Duration](), count: kinds.count)
        for round in 0..<10_000 {
            for place in kinds.indices {
                // None has the same one before it each time.
                let kind = (place + round) % kinds.count
                let bytes = kinds[kind].sign()
                guard case .complete(let parsed, _) = ConvertMessage.parse(bytes.span) else { continue }
                let cookie = parsed.cookie
                let began = ContinuousClock.now
                let answer = verdict(bytes, cookie)
                times[kind].append(ContinuousClock.now - began)
                if answer != kinds[kind].expected { Issue.record("\(kind): \(answer)") }
            }
        }
        let medians = times.map { $0.sorted()[$0.count / 2] }
        let (least, most) = (medians.min() ?? .zero, medians.max() ?? .zero)
        #expect(most - least < least / 12, "wrong key, replayed, unknown key number: \(medians)")
        print("measured: wrong key, replayed proof, unknown key number: \(medians)")
    }
}
