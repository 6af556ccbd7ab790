import Testing

@testable import Admin

@Suite struct QueryTests {
    @Test func splits() throws {
        let query = try #require(Query("/v1/links/a%20b%2Fc?x=1&y=a+b%26&z"))
        #expect(query.path == "/v1/links/a b/c")
        #expect(query.items.map(\.name) == ["x", "y", "z"])
        #expect(query.items.map(\.value) == ["1", "a b&", ""])
    }

    @Test(arguments: ["/%", "/%4", "/%zz", "/?a=%f", "/%00", "/%ff%fe", "/?%c3"])
    func refuses_wrong_escapes(_ target: String) { #expect(Query(target) == nil) }

    @Test func reads_the_busiest() throws {
        let query = try #require(Query("/v1/busiest?limit=5&sort=age&search=WiFi"))
        let busiest = try BusiestQuery.parse(query).get()
        #expect(busiest.limit == 5)
        #expect(busiest.order == .age)
        #expect(busiest.search == "wifi")
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=x", "sort=name", "nonsense=1", "search=\(String(repeating: "x", count: 201))",
    ])
    func refuses_wrong_questions(_ text: String) throws {
        let query = try #require(Query("/v1/busiest?\(text)"))
        #expect(throws: QueryError.self) { try BusiestQuery.parse(query).get() }
    }

    @Test(arguments: ["replay=-1", "replay=201", "status=2", "connections=yes", "x=1"])
    func refuses_wrong_streams(_ text: String) throws {
        let query = try #require(Query("/v1/events?\(text)"))
        #expect(throws: QueryError.self) { try EventFilter.parse(query).get() }
    }

    @Test(arguments: [
        "", "[]", "{}", "{\"backup\":1}", "{\"backup\":\"yes\"}", "{\"down\":true}", "{\"backup\":true", "null",
    ])
    func refuses_wrong_changes(_ body: String) {
        #expect(throws: QueryError.self) { try LinkRoleChange.parse(Array(body.utf8)).get() }
    }

    @Test func reads_changes() throws {
        #expect(try LinkRoleChange.parse(Array("{\"up\":false}".utf8)).get() == LinkRoleChange(up: false))
        #expect(
            try LinkRoleChange.parse(Array("{\"backup\":true, \"up\":true}".utf8)).get()
                == LinkRoleChange(backup: true, up: true))
    }
}
