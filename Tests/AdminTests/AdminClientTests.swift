import Testing

@testable import AdminClient

@Suite struct AdminClientTests {
    private func parse(_ text: String) throws(AdminClientError) -> HTTPResponse {
        try HTTPResponse(parsing: Array(text.utf8), path: "/x")
    }

    static let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
    static let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"

    @Test func reads_answers() throws {
        let answer = try parse(Self.whole)
        #expect(answer.status == 200)
        #expect(String(decoding: answer.body, as: UTF8.self) == "hello")
        #expect(String(decoding: try parse(Self.chunked).body, as: UTF8.self) == "hello world")
        #expect(try parse("HTTP/1.1 404 Not Found\r\n\r\n{\"error\": \"no\"}").reason == "no")
    }

    @Test func refuses_answers_that_break_off() {
        for text in [Self.whole, Self.chunked] {
            // The last four bytes of a chunked answer end its trailers, of which there are none.
            let end = text.utf8.count - (text == Self.chunked ? 4 : 0)
            for length in 0..<end {
                let part = String(decoding: Array(text.utf8)[..<length], as: UTF8.self)
                #expect(throws: AdminClientError.self, "\(part)") { try parse(part) }
            }
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "HTTP/1.1 x OK\r\n\r\n", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx\r\n0\r\n\r\n",
    ])
    func refuses_what_is_no_answer(_ text: String) {
        #expect(throws: AdminClientError.self) { try parse(text) }
    }

    @Test func units() {
        #expect(Units.bytes(0) == "0 B")
        #expect(Units.bytes(999) == "999 B")
        #expect(Units.bytes(1000) == "1.00 kB")
        #expect(Units.bytes(999_499) == "999 kB")
        #expect(Units.bytes(999_500) == "1.00 MB")
        #expect(Units.bytes(.max) == "18.4 EB")
        #expect(Units.rate(bytesPerSecond: 1_250_000) == "10.0 Mbit/s")
        #expect(Units.roundTrip(microseconds: 42) == "0.04 ms")
        #expect(Units.roundTrip(microseconds: 1_200_000) == "1.20 s")
        #expect(Units.duration(3725) == "1 h 2 min")
    }

    @Test func tables_are_aligned_and_harmless() {
        var table = Table([("NAME", .left), ("COUNT", .right), ("LAST", .left)])
        table.add([.init("a"), .init("1", .good), .init("x")])
        table.add([.init("long\u{1b}[2Jer"), .init("1000"), .init("y")])
        #expect(
            table.lines(colour: false) == [
                "NAME        COUNT  LAST", "a               1  x", "long?[2Jer   1000  y",
            ])
        #expect(table.lines(colour: true)[1] == "a               \u{1b}[32m1\u{1b}[0m  x")
    }

    @Test func screens_are_cut() {
        let screen = TopScreen(columns: 5, rows: 2)
        #expect(screen.cut("\u{1b}[1mabcdefg\u{1b}[0m") == "\u{1b}[1mabcde\u{1b}[0m")
        #expect(screen.frame(["a", "b", "c"]) == "\u{1b}[Ha\u{1b}[K\r\nb\u{1b}[K\u{1b}[J")
        #expect(Bar(width: 4, isUnicode: false).text(0.5) == "##..")
        #expect(Bar(width: 4, isUnicode: true).text(0.5) == "██  ")
        #expect(Bar(width: 4, isUnicode: true).text(.nan) == "    ")
    }

    @Test func links_with_odd_names_can_be_asked_for() {
        #expect(AdminClient.escape("a b/ü") == "a%20b%2F%C3%BC")
    }
}
