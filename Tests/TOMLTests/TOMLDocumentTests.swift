import TOML
import Testing

@Suite struct TOMLDocumentTests {
    @Test func every_kind_of_value_has_its_place() throws {
        let text = """
            title = "x"
              [a.b]
            i = -9_000
            f = 1.5e3
            t = true
            d = 1979-05-27T07:32:00Z
            "quoted key" = [ 1,
              "é", 'ü' ]
            inline = { p.q = 1, r = 2 }
            [[list]]
            n = 1
            [[list]]
            n = 2
            """
        let document = try TOMLDocument.parse(text, source: "f")
        #expect(document.root.entries.map(\.key) == ["title", "a", "list"])
        let b = try #require(document.root["a"]?.table?["b"])
        #expect(b.node.location.line == 2 && b.node.location.column == 3)
        let table = try #require(b.table)
        #expect(table.entries.map(\.key) == ["i", "f", "t", "d", "quoted key", "inline"])
        #expect(table["i"]?.node.value == .integer(-9000))
        #expect(table["f"]?.node.value == .float(1500))
        #expect(table["t"]?.node.value == .boolean(true))
        #expect(table["d"]?.node.value == .dateTime("1979-05-27T07:32:00Z"))
        let quoted = try #require(table["quoted key"])
        #expect(quoted.keyLocation == TOMLLocation(source: "f", line: 7, column: 1))
        #expect(quoted.node.location == TOMLLocation(source: "f", line: 7, column: 16))
        guard case .array(let elements) = quoted.node.value else { Issue.record("no array"); return }
        #expect(elements.map(\.value) == [.integer(1), .string("é"), .string("ü")])
        #expect(elements[2].location == TOMLLocation(source: "f", line: 8, column: 8))
        let inline = try #require(table["inline"]?.table)
        #expect(inline["p"]?.table?["q"]?.node.value == .integer(1))
        #expect(inline["r"]?.keyLocation == TOMLLocation(source: "f", line: 9, column: 21))
        guard case .array(let list)? = document.root["list"]?.node.value else { Issue.record("no list"); return }
        #expect(list.map(\.location.line) == [10, 12])
    }

    @Test(arguments: [
        ("a = 9223372036854775808", 1, 24), ("a = \n", 1, 5), ("a = \"x", 1, 7), ("[a", 1, 3), ("a = 1\nb c", 2, 3),
        ("a = \"\u{1}\"", 1, 6), ("a = [1,", 1, 8), ("= 1", 1, 1), ("a = tru", 1, 8),
    ])
    func a_fault_has_its_place(text: String, line: Int, column: Int) {
        #expect {
            _ = try TOMLDocument.parse(text, source: "f")
        } throws: { error in
            let location = (error as? TOMLSyntaxError)?.location
            return location == TOMLLocation(source: "f", line: line, column: column)
        }
    }
}

extension TOMLTable.Entry {
    var table: TOMLTable? { if case .table(let table) = node.value { table } else { nil } }
}
