import LinuxSystem
import SystemPackage
import Testing

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:80"), ("::1", "[::1]:80"), ("2001:db8::1", "[2001:db8::1]:80"),
        ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"), ("fe80::1%lo", "[fe80::1%lo]:80"),
    ])
    func readsAndPrints(text: String, printed: String) throws {
        let address = try SocketAddress(parsing: text, port: 80)
        #expect(address.description == printed)
        #expect(address.port == 80)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1::", "localhost", "[::1]", "fe80::1%", "::g"])
    func refusesWhatIsNoAddress(text: String) {
        #expect(throws: Errno.self) { try SocketAddress(parsing: text, port: 1) }
    }

    @Test func bytesAreInNetworkOrderBothWays() throws {
        let v4 = try SocketAddress(parsing: "192.0.2.7", port: 9)
        #expect(v4.bytes == [192, 0, 2, 7])
        #expect(SocketAddress(bytes: v4.bytes.span, port: 9) == v4)
        let v6 = try SocketAddress(parsing: "2001:db8::abcd", port: 9)
        #expect(v6.bytes == [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd])
        #expect(SocketAddress(bytes: v6.bytes.span, port: 9) == v6)
        #expect(SocketAddress(bytes: [1, 2, 3].span, port: 9) == nil)
    }

    @Test func mappedAddressesAreUnwrapped() throws {
        let mapped = try SocketAddress(parsing: "::ffff:10.1.2.3", port: 5)
        #expect(mapped.unmapped == (try SocketAddress(parsing: "10.1.2.3", port: 5)))
        let plain = try SocketAddress(parsing: "::1", port: 5)
        #expect(plain.unmapped == plain)
        #expect(try SocketAddress(parsing: "::ffff:127.0.0.1", port: 5).isLoopback)
    }

    @Test func kindsOfAddress() throws {
        #expect(try SocketAddress(parsing: "127.8.9.1", port: 0).isLoopback)
        #expect(try SocketAddress(parsing: "::1", port: 0).isLoopback)
        #expect(!(try SocketAddress(parsing: "128.0.0.1", port: 0).isLoopback))
        #expect(try SocketAddress(parsing: "169.254.1.1", port: 0).isLinkLocal)
        #expect(try SocketAddress(parsing: "fe80::1", port: 0).isLinkLocal)
        #expect(SocketAddress.any(.ipv6, port: 1).isAny)
        #expect(SocketAddress.any(.ipv4, port: 1).description == "0.0.0.0:1")
        #expect(SocketAddress.none.description == "-")
    }
}
