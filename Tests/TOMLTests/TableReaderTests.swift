import Testing

@testable import TOML

@Suite struct TableReaderTests {
    private func read(_ text: String, _ body: (inout TableReader) -> Void) throws -> [String] {
        let root = try TOMLDocument.parse(text, source: "f").root
        let problems = TOMLProblems()
        var reader = TableReader(
            root, name: "[t]", at: TOMLLocation(source: "f", line: 1, column: 1), problems: problems)
        body(&reader)
        reader.finish()
        #expect(problems.faultCount == problems.list.count)
        return problems.list.map { "\($0.location.line):\($0.location.column) \($0.message); \($0.remedy)" }
    }

    @Test func a_wrong_value_is_reported_and_counts_as_absent() throws {
        let problems = try read("a = 1\nb = \"x\"\nc = [1, \"y\", 3]\n") { reader in
            let a = reader.value("a") { node throws(TOMLBadValue) in try node.string() }
            #expect(a == nil)
            let b = reader.value("b") { node throws(TOMLBadValue) in try node.string() }
            #expect(b == "x")
            let c = reader.list("c") { node throws(TOMLBadValue) in try node.integer(in: 0...9) }
            #expect(c?.map(\.value) == [1, 3])
            #expect(c?.map(\.location.column) == [6, 14])
            let d = reader.value("d") { node throws(TOMLBadValue) in try node.boolean() }
            #expect(d == nil)
            reader.require("a", example: "\"x\"")
            reader.require("d", example: "true")
        }
        #expect(
            problems == [
                "1:5 'a' is an integer, not a string; write text in \"quotes\"",
                "3:9 'c' is a string, not an integer; write a whole number from 0 to 9, without quotes",
                "1:1 [t] has no 'd'; add d = true",
            ])
    }

    @Test func keys_that_nobody_asked_for_are_reported() throws {
        let problems = try read("naem = 1\nzzz = 2\n\"é\" = 3") { reader in
            _ = reader.node("name")
            _ = reader.node("size")
        }
        #expect(
            problems == [
                "1:1 unknown key 'naem' in [t]; write 'name'", "2:1 unknown key 'zzz' in [t]; it knows name, size",
                "3:1 unknown key 'é' in [t]; it knows name, size",
            ])
    }

    @Test func what_was_reported_before_is_not_reported_again() {
        let place = TOMLLocation(source: "f", line: 1, column: 1)
        let unusable = TOMLNode(.unusable, at: place)
        let table = TOMLTable(
            ["a", "b"].map {
                TOMLTable.Entry(
                    key: $0, keyLocation: place, node: $0 == "a" ? unusable : TOMLNode(.array([unusable]), at: place))
            })
        let problems = TOMLProblems()
        var reader = TableReader(table, name: "[t]", at: place, problems: problems)
        #expect(reader.value("a") { node throws(TOMLBadValue) in try node.string() } == nil)
        #expect(reader.list("b") { node throws(TOMLBadValue) in try node.string() }?.isEmpty == true)
        reader.require("a", example: "1")
        reader.finish()
        #expect(problems.list == [])
        #expect(problems.faultCount == 2)
    }

    @Test(arguments: [
        ("idel-timeout", "idle-timeout"), ("idle_timeout", "idle-timeout"), ("IDLE-TIMEOUT", "idle-timeout"),
        ("listne", "listen"),
        ("lisen", "listen"), ("listens", "listen"), ("x", nil), ("", nil), ("timeout", nil), ("upstraem", "upstream"),
        (String(repeating: "a", count: 100_000), nil),
    ])
    func nearest_word(word: String, expected: String?) {
        #expect(NearestWord.find(word, among: ["listen", "upstream", "idle-timeout", "mode"]) == expected)
    }

    @Test func edit_distance() {
        func distance(_ a: String, _ b: String) -> Int {
            NearestWord.distance(Array(a.unicodeScalars), Array(b.unicodeScalars))
        }
        #expect(distance("", "") == 0 && distance("", "abc") == 3 && distance("abc", "") == 3)
        #expect(distance("kitten", "sitting") == 3 && distance("ab", "ba") == 1 && distance("abc", "abc") == 0)
    }
}
