import Testing
import Wire

/// PROXY protocol version 1, from wire.md's grammar.
@Suite struct ProxyHeaderLineTests {
    private let four = ProxyHeader(
        addresses: .init(source: IPEndpoint(.one, port: 56324), destination: IPEndpoint(.two, port: 443)))
    private let six = ProxyHeader(
        addresses: .init(source: IPEndpoint(.six, port: 65535), destination: IPEndpoint(.otherSix, port: 1)))

    @Test func reads_and_writes_ipv4() {
        let line = Array("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n".utf8)
        expectComplete(line, four, ProxyHeader.parse)
        #expect(four.line() == line)
    }

    @Test func reads_and_writes_ipv6() {
        let line = Array("PROXY TCP6 2001:db8::1 2001:db8::ff 65535 1\r\n".utf8)
        expectComplete(line, six, ProxyHeader.parse)
        #expect(six.line() == line)
    }

    @Test func mixed_families_are_written_as_ipv6() {
        let mixed = ProxyHeader(
            addresses: .init(source: IPEndpoint(.one, port: 1), destination: IPEndpoint(.six, port: 2)))
        #expect(mixed.line() == Array("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n".utf8))
    }

    @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff:f::1 what ever  it\t is\r\n"])
    func unknown_says_nothing(line: String) {
        expectComplete(Array(line.utf8), ProxyHeader(addresses: nil), ProxyHeader.parse)
    }

    @Test func unknown_is_written_without_addresses() {
        #expect(ProxyHeader(addresses: nil).line() == Array("PROXY UNKNOWN\r\n".utf8))
    }

    @Test func the_longest_line_is_107_bytes() {
        let start = "PROXY UNKNOWN "
        let longest = start + String(repeating: "x", count: 105 - start.utf8.count) + "\r\n"
        #expect(longest.utf8.count == 107)
        expectComplete(Array(longest.utf8), ProxyHeader(addresses: nil), ProxyHeader.parse)
        let longer = start + String(repeating: "x", count: 106 - start.utf8.count) + "\r\n"
        expectMalformed(Array(longer.utf8), .lineTooLong, ProxyHeader.parse)
    }

    @Test(arguments: ["GET / HTTP/1.1\r\n", "proxy TCP4", "PROXYTCP4", "\u{16}\u{3}\u{1}"])
    func refuses_other_beginnings(text: String) {
        expectMalformed(Array(text.utf8), .signature, ProxyHeader.parse)
    }

    @Test(arguments: [
        "PROXY TCP5 192.0.2.1 198.51.100.2 1 2\r\n", "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1  198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n", "PROXY tcp4 192.0.2.1 198.51.100.2 1 2\r\n", "PROXY \r\n",
        "PROXY TCP4\r\n", "PROXY TCP4 \r\n", "PROXY TCP4\t192.0.2.1 198.51.100.2 1 2\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +1 2\r\n", "PROXY TCP4 192.0.2.1 198.51.100.2 1 \r\n",
    ])
    func refuses_lines_that_are_wrong(line: String) {
        expectMalformed(Array(line.utf8), .line, ProxyHeader.parse)
    }
}
