import Credentials
import Testing

@Suite struct PreSharedKeyFileTests {
    private static let key = String(repeating: "ab", count: 32)

    @Test(arguments: ["\n", "\r\n"]) func readsIdentitiesAndKeys(end: String) throws {
        let text = [
            "# both ends", "", "branch one:\(Self.key)",
            "  b:c:\(String(Self.key.prefix(32)).uppercased())  # the next",
        ]
        let file = try PreSharedKeyFile(text: text.joined(separator: end))
        #expect(file.keys.map(\.identity) == [Array("branch one".utf8), Array("b:c".utf8)])
        #expect(file.keys.map(\.bytes) == [[UInt8](repeating: 0xab, count: 32), [UInt8](repeating: 0xab, count: 16)])
    }

    @Test(arguments: [
        "", "# nothing", "nonsense", ":abcdef", "a:", "a:12", "a:\(key.prefix(31))", "a:\(key)0", "a:\(key)xx",
        "a:\(String(repeating: "00", count: 65))", "a:\(key)\na:\(key)", "\(String(repeating: "i", count: 129)):\(key)",
    ])
    func refusesWithoutQuoting(text: String) {
        do {
            _ = try PreSharedKeyFile(text: text)
            Issue.record("it was taken")
        } catch {
            #expect(!error.description.contains("abab"), "\(error)")
            if !text.isEmpty, text.first != "#" { #expect(error.line != nil) }
        }
    }

    @Test func anyPrefixIsTakenOrRefused() {
        let text = "one:\(Self.key)\ntwo:\(Self.key)\n"
        for length in 0...text.count {
            let prefix = String(text.prefix(length))
            let keys = (try? PreSharedKeyFile(text: prefix))?.keys.count
            #expect(keys == nil || keys == 1 || keys == 2)
        }
    }
}
