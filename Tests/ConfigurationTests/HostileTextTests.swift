import Testing

@testable import Configuration

/// Whatever the bytes are, the answer is settings or errors. That the process survives is the test; what it says is
/// checked as far as it can be: each error is inside the text and on one line.
@Suite struct HostileTextTests {
    private func decode(_ bytes: [UInt8]) {
        do {
            _ = try Settings.load(bytes: bytes, file: "f", environment: Shipped.environment)
        } catch {
            #expect(!error.diagnostics.isEmpty)
            let lines = bytes.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
            for diagnostic in error.diagnostics where !(1...lines).contains(diagnostic.location.line) {
                Issue.record("outside the text: \(diagnostic)")
            }
            for diagnostic in error.diagnostics where diagnostic.description.contains("\n") {
                Issue.record("more than a line: \(diagnostic)")
            }
        }
    }

    /// The whole reference, without comments: the same statements in a quarter of the bytes.
    private static func statements() throws -> [UInt8] {
        let lines = try Shipped.wholeReference().split(separator: "\n").filter { !$0.hasPrefix("#") }
        return Array(lines.map { $0.replacing(/[ ]{2,}#.*/, with: "") }.joined(separator: "\n").utf8)
    }

    @Test func truncation_at_every_byte() throws {
        let bytes = try Self.statements()
        #expect(bytes.count > 2000)
        for length in 0...bytes.count { decode(Array(bytes[..<length])) }
    }

    @Test func truncation_of_the_reference_itself() throws {
        let bytes = Array(try Shipped.text("reference").utf8)
        for length in 0...bytes.count { decode(Array(bytes[..<length])) }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func random_mutations(seed: UInt64) throws {
        let original = try Self.statements()
        var random = SplitMix64(state: seed)
        let interesting = Array("\"'[]{}=.,#\\\n\r\0\u{7F}$9e+-_:*%/ ".utf8) + [0xFF, 0xC0, 0xE2, 0x80]
        for _ in 0..<150 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                let byte = interesting.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.insert(byte, at: at)
                case 2: bytes.remove(at: at)
                default:
                    let end = min(bytes.count, at + Int.random(in: 1..<60, using: &random))
                    bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            decode(bytes)
        }
    }

    @Test(arguments: [
        String(repeating: "[", count: 100_000), "a = " + String(repeating: "[", count: 100_000),
        "a = " + String(repeating: "{a=", count: 100_000), String(repeating: "a.", count: 100_000) + "a = 1",
        "a = {" + String(repeating: "a.", count: 100_000) + "a = 1}",
        "[" + String(repeating: "a.", count: 100_000) + "a]\n!",
        "[" + String(repeating: "a . ", count: 100_000) + "a]",
        "\"" + String(repeating: "\" . \"", count: 100_000) + "\" = 1\n=",
        "a = \"\"\"" + String(repeating: "\"", count: 100_000), String(repeating: "a", count: 100_000),
        "a = 1" + String(repeating: "0", count: 100_000),
        "relay = [" + String(repeating: "{},", count: 20_000) + "]", String(repeating: "[[relay]]\n", count: 5_000),
        "[daemon]\nlog-level = \"" + String(repeating: "é", count: 100_000) + "\"",
        "\u{FEFF}[daemon]\nthreads = 1", "\u{FEFF}", "\r\n\r\n", "# only", "[daemon]\r\nthreads = 1\r\n", "\0",
        "a = \"\\u0000\"",
        "a = \"\\uD800\"", "a = \"\\U00110000\"",
    ])
    func monsters(text: String) {
        decode(Array(text.utf8))
    }

    /// Thousands of relays take no more than a moment.
    @Test(.timeLimit(.minutes(1))) func many_relays() throws {
        let text = (0..<5000).map { "[[relay]]\nlisten = \"unix:///run/\($0)\"\nupstream = \"echo://\"\n" }.joined()
        #expect(try Settings.load(text: text, file: "f").relays.count == 5000)
    }
}

/// A generator that gives the same numbers for the same seed.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
