import Testing
import Wire

/// Addresses as text, through SOCKS5 names, which take every form.
@Suite struct IPTextTests {
    private func host(_ text: String) -> Destination.Host? {
        let name = Array(text.utf8)
        let bytes: [UInt8] = [5, 1, 0, 3, UInt8(name.count)] + name + [0, 80]
        guard case .complete(let request, _) = SOCKS5.parseRequest(bytes.span) else { return nil }
        return request.destination.host
    }

    @Test(
        arguments: [
            ("0.0.0.0", 0), ("255.255.255.255", 0xFFFF_FFFF), ("192.0.2.1", 0xC000_0201), ("127.0.0.1", 0x7F00_0001),
        ] as [(String, UInt32)])
    func reads_ipv4(text: String, bits: UInt32) {
        #expect(host(text) == .address(.ipv4(bits)))
        #expect(WireAddress.ipv4(bits).description == text)
    }

    @Test(
        arguments: [
            ("::", 0), ("::1", 1), ("1::", UInt128(1) << 112),
            ("2001:db8::1", 0x2001_0DB8_0000_0000_0000_0000_0000_0001),
            ("1:2:3:4:5:6:7:8", 0x0001_0002_0003_0004_0005_0006_0007_0008), ("::ffff:192.0.2.1", 0xFFFF_C000_0201),
            ("1:0:0:4::8", 0x0001_0000_0000_0004_0000_0000_0000_0008), ("2001:DB8:0:0:0:0:0:1", 0x2001_0DB8 << 96 | 1),
            ("1:2:3:4:5:6:192.0.2.1", 0x0001_0002_0003_0004_0005_0006_C000_0201), ("::8.8.8.8", 0x0808_0808),
            ("1:2:3:4:5:6:7::", 0x0001_0002_0003_0004_0005_0006_0007_0000),
            ("::2:3:4:5:6:7:8", 0x0000_0002_0003_0004_0005_0006_0007_0008),
        ] as [(String, UInt128)])
    func reads_ipv6(text: String, bits: UInt128) {
        #expect(host(text) == .address(.ipv6(bits)))
    }

    @Test(
        arguments: [
            (0, "::"), (1, "::1"), (0x2001_0DB8_0000_0000_0000_0000_0000_0001, "2001:db8::1"),
            (0x2001_0DB8_0000_0001_0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
            (0x2001_0000_0000_0001_0000_0000_0000_0001, "2001:0:0:1::1"),
            (0x0001_0002_0003_0004_0005_0006_0007_0008, "1:2:3:4:5:6:7:8"),
            (0x0001_0000_0000_0000_0000_0000_0000_0000, "1::"), (0xFFFF_C000_0201, "::ffff:192.0.2.1"),
        ] as [(UInt128, String)])
    func writes_ipv6(bits: UInt128, text: String) {
        #expect(WireAddress.ipv6(bits).description == text)
    }

    @Test(arguments: [
        "example.net", "a", "xn--bcher-kva.example", "_braid._tcp.example.net", "example.net.", "1and1.de",
        "0x.example",
        "a0.b-c", "0xyz.com",
    ])
    func reads_names(name: String) {
        #expect(host(name) == .name(name))
    }

    @Test(arguments: [
        "", ".", "a..b", ".a", "-a", "a-", "a-.b", "a b", "a\0b", "é", "127.1", "2130706433", "0177.0.0.1", "1.2.3.256",
        "1.2.3.4.5", "01.2.3.4", "1.2.3", "1.2.3.4.", "0x7f.1", "0x7f000001", "a.0x1", ":", ":::", "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "12345::", "::g", "1:", "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::", "::1%lo", "[::1]",
        String(repeating: "a", count: 64), String(repeating: "a.", count: 126) + "ab",
    ])
    func refuses_what_is_none(text: String) {
        #expect(host(text) == nil)
    }
}
