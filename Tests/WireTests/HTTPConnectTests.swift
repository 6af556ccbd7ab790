import TestNamespace
import Testing
import Wire

/// CONNECT requests: RFC 9110 section 9.3.6, RFC 9112.
@Suite struct HTTPConnectTests {
    private func parser(_ bytes: Span<UInt8>) -> Parsed<HTTPConnect, HTTPConnect.Fault> { HTTPConnect.parse(bytes) }

    private func connect(_ host: Destination.Host, _ port: UInt16, _ credentials: SOCKS5.Credentials? = nil)
        -> HTTPConnect
    {
        guard case .complete(var value, _) = HTTPConnect.parse(Array("CONNECT a:1 HTTP/1.0\r\n\r\n".utf8).span) else {
            preconditionFailure("the simplest request")
        }
        value.destination = Destination(host, port: port)
        value.credentials = credentials
        return value
    }

    @Test func reads_requests() {
        expectComplete(
            Array("CONNECT example.net:443 HTTP/1.1\r\nHost: example.net:443\r\n\r\n".utf8),
            connect(.name("example.net"), 443), parser)
        expectComplete(Array("CONNECT 192.0.2.1:80 HTTP/1.0\r\n\r\n".utf8), connect(.address(.one), 80), parser)
        expectComplete(
            Array(
                "\r\nCONNECT [2001:db8::1]:22 HTTP/1.1\r\nhost:\r\nUser-Agent: x y\t\r\nContent-Length: 0\r\n\r\n".utf8),
            connect(.address(.six), 22), parser)
        expectComplete(
            Array(
                "CONNECT a:1 HTTP/1.1\r\nHOST: a\r\nproxy-authorization: basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
                    .utf8),
            connect(.name("a"), 1, .init(name: Array("Aladdin".utf8), password: Array("open sesame".utf8))), parser)
    }

    @Test func looking_on_from_where_one_was_changes_nothing() {
        let bytes = Array("CONNECT example.net:443 HTTP/1.1\r\nHost: x\r\n\r\nrest".utf8)
        let length = bytes.count - 4
        for looked in 0..<length {
            #expect(HTTPConnect.parse(Array(bytes[..<looked]).span) == .needMore)
            #expect(
                HTTPConnect.parse(bytes.span, looked: looked)
                    == .complete(connect(.name("example.net"), 443), length: length))
        }
    }

    @Test(arguments: ["QUJD", "QTo=", "Og==", "OjE6"])
    func credentials_have_a_colon(token: String) {
        let text = "CONNECT a:1 HTTP/1.0\r\nProxy-Authorization: Basic \(token)\r\n\r\n"
        guard case .complete(let value, _) = HTTPConnect.parse(Array(text.utf8).span) else {
            Issue.record("refused")
            return
        }
        #expect((value.credentials == nil) == (token == "QUJD"))
    }

    @Test(arguments: ["Bearer QTo=", "Basic", "Basic QTo", "Basic Q=o=", "Basic QT==QTo=", "Basic QTp=", "Digest a"])
    func credentials_that_are_none(value: String) {
        let text = "CONNECT a:1 HTTP/1.0\r\nProxy-Authorization: \(value)\r\n\r\n"
        #expect(HTTPConnect.parse(Array(text.utf8).span) == .complete(connect(.name("a"), 1), length: text.utf8.count))
    }

    @Test(arguments: ["GET", "POST", "connect", "OPTIONS", "PRI"])
    func other_methods(method: String) {
        expectMalformed(Array("\(method) http://a/ HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .method, parser)
    }

    @Test(arguments: [
        "CONNECT a:1 HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "CONNECT a HTTP/1.0\r\n\r\n", "CONNECT a: HTTP/1.0\r\n\r\n", "CONNECT :1 HTTP/1.0\r\n\r\n",
        "CONNECT a:0 HTTP/1.0\r\n\r\n", "CONNECT a:65536 HTTP/1.0\r\n\r\n", "CONNECT a:01 HTTP/1.0\r\n\r\n",
        "CONNECT 2001:db8::1:80 HTTP/1.0\r\n\r\n", "CONNECT [2001:db8::1]80 HTTP/1.0\r\n\r\n",
        "CONNECT []:1 HTTP/1.0\r\n\r\n",
        "CONNECT [a]:1 HTTP/1.0\r\n\r\n", "CONNECT [::1:1 HTTP/1.0\r\n\r\n", "CONNECT u@a:1 HTTP/1.0\r\n\r\n",
        "CONNECT http://a:1 HTTP/1.0\r\n\r\n",
        "CONNECT a:1/ HTTP/1.0\r\n\r\n", "CONNECT a%2e:1 HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/2.0\r\n\r\n",
        "CONNECT a:1 http/1.0\r\n\r\n", "CONNECT  a:1 HTTP/1.0\r\n\r\n", "CONNECT a:1 HTTP/1.0 \r\n\r\n",
        "CONNECT a:1\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nX : y\r\n\r\n", "CONNECT a:1 HTTP/1.0\r\n folded\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nX\r\n\r\n", "CONNECT a:1 HTTP/1.0\r\nX: \0\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nX: a\rb\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nX: a\nY: b\r\n\r\n", "CONNECT a:1 HTTP/1.0\n\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "CONNECT a:1 HTTP/1.0\r\nProxy-Authorization: Basic QTo=\r\nProxy-Authorization: Basic QTo=\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}", "\r\r\n\r\n", "\n\r\n\r\n", " CONNECT a:1 HTTP/1.0\r\n\r\n",
        "\r\n\r\nCONNECT a:1 HTTP/1.0\r\n\r\n",
        "CONN(ECT a:1 HTTP/1.0\r\n\r\n",
    ])
    func what_is_malformed(text: String) {
        expectMalformed(Array(text.utf8), .malformed, parser)
    }

    @Test func the_head_has_a_limit() {
        let start = "CONNECT a:1 HTTP/1.0\r\nX: "
        let longest = start + String(repeating: "x", count: 16384 - start.utf8.count - 4) + "\r\n\r\n"
        #expect(longest.utf8.count == 16384)
        #expect(HTTPConnect.parse(Array(longest.utf8).span) == .complete(connect(.name("a"), 1), length: 16384))
        let longer = Array((start + String(repeating: "x", count: 16384 - start.utf8.count - 3) + "\r\n\r\n").utf8)
        #expect(HTTPConnect.parse(longer.span) == .malformed(.tooLarge))
        #expect(HTTPConnect.parse(Array(longer[..<16383]).span) == .needMore)
        #expect(HTTPConnect.parse(Array(longer[..<16384]).span) == .malformed(.tooLarge))
    }

    @Test func responses() {
        #expect(HTTPConnect.response(.connected) == Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8))
        let needed = String(decoding: HTTPConnect.response(.authenticationRequired, detail: "no"), as: UTF8.self)
        #expect(
            needed.hasPrefix("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"braid\""))
        #expect(needed.hasSuffix("Content-Length: 3\r\nConnection: close\r\n\r\nno\n"))
    }

    @Test func random_bytes_do_no_harm() {
        var mutations = Mutations(seed: 9110)
        let good = Array("CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\nProxy-Authorization: Basic QTo=\r\n\r\n".utf8)
        for _ in 0..<10_000 { _ = parse(mutations.mutate(good), parser) }
    }
}
