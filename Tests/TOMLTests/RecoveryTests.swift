import TOML
import Testing

@Suite struct RecoveryTests {
    private func recover(_ text: String) -> (keys: [String]?, errors: [String]) {
        let (document, errors) = TOMLDocument.parseRecovering(Array(text.utf8), source: "f")
        return (document?.root.entries.map(\.key), errors.map { "\($0.location.line):\($0.location.column)" })
    }

    @Test(arguments: [
        // A fault within a line leaves that line out.
        ("a = 1\nb = x\nc = 3", ["a", "c"], ["2:5"]),
        ("a = \"open\nb = 2", ["b"], ["1:10"]),
        ("a = 1 2\nb = ]\nc = 3", ["c"], ["1:7", "2:5"]),
        // A key that is set again leaves all of its second value out, however long it is.
        ("a = 1\na = [ # ]\n 1,\n \"]\",\n '''\n]''' ]\nb = 1", ["a", "b"], ["2:1"]),
        ("a = 1\na = \"\"\"x\ny\\\"\"\"\"\"\"\nb = 1", ["a", "b"], ["2:1"]),
        // A wrong header leaves out what belongs to it.
        ("a = 1\n[a]\nb = 1\n[c]\nd = 1", ["a", "c"], ["2:1"]),
        ("[a\nb = 1\n[[c]]\nd = 1", ["c"], ["1:3"]),
        ("[a]\n[a]\nb = [\n1 ]\n", ["a"], ["2:1"]),
    ])
    func the_rest_is_read(text: String, keys: [String], errors: [String]) {
        let result = recover(text)
        #expect(result.keys == keys)
        #expect(result.errors == errors)
    }

    /// Where a bracket is open, nobody knows where the rest begins.
    @Test(arguments: ["a = [1\nb = 2\n", "a = {\nb = 2", "a = \"\"\"x\nb = 2"])
    func nothing_is_guessed(text: String) {
        let result = recover(text)
        #expect(result.keys == nil)
        #expect(result.errors.count == 1)
    }

    @Test func many_errors_come_to_an_end() {
        #expect(recover(String(repeating: "a = x\n", count: 1000)).errors.count == 50)
    }

    @Test func dots_in_strings_and_comments_are_no_parts() throws {
        let dots = String(repeating: ".", count: 100)
        let text = "a = \"\(dots)\" # \(dots)\nb.\"c\(dots)\" = ['\(dots)', '''\(dots)''', 1.5, 2.5] # \(dots)\n"
        #expect(try TOMLDocument.parse(text, source: "f").root.entries.map(\.key) == ["a", "b"])
    }

    @Test func a_key_has_a_bounded_number_of_parts() throws {
        func key(_ parts: Int) -> String { Array(repeating: "k", count: parts).joined(separator: ".") }
        _ = try TOMLDocument.parse("\(key(16)) = 1\n[\(key(16).replacing("k", with: "t"))]", source: "f")
        for text in ["x = 1\n\(key(17)) = 1", "x = 1\n[\(key(17))]", "x = 1\ny = [{ \(key(17)) = 1 }]"] {
            #expect {
                try TOMLDocument.parse(text, source: "f")
            } throws: {
                ($0 as? TOMLSyntaxError)?.location.line == 2 && "\($0)".contains("17 parts")
            }
        }
    }
}
