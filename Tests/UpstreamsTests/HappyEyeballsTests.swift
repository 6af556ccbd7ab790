import LinuxSystem
import Testing

@testable import Upstreams

@Suite struct HappyEyeballsTests {
    private func addresses(_ hosts: String...) throws -> [SocketAddress] {
        try hosts.map { try SocketAddress(parsing: $0, port: 443) }
    }

    @Test func nothingStaysNothing() {
        #expect(HappyEyeballs.order([]).isEmpty)
    }

    @Test func familiesAlternateFromTheFirst() throws {
        let sorted = try addresses("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1", "192.0.2.2")
        let expected = try addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3")
        #expect(HappyEyeballs.order(sorted) == expected)
    }

    @Test func aHostWithoutIPv6BeginsWithIPv4() throws {
        let sorted = try addresses("192.0.2.1", "192.0.2.2", "2001:db8::1")
        #expect(HappyEyeballs.order(sorted) == (try addresses("192.0.2.1", "2001:db8::1", "192.0.2.2")))
    }

    @Test func oneFamilyKeepsItsOrder() throws {
        let sorted = try addresses("192.0.2.3", "192.0.2.1", "192.0.2.2")
        #expect(HappyEyeballs.order(sorted) == sorted)
    }

    @Test func anAddressComesOnce() throws {
        let sorted = try addresses("192.0.2.1", "2001:db8::1", "192.0.2.1", "2001:db8::1")
        #expect(HappyEyeballs.order(sorted) == (try addresses("192.0.2.1", "2001:db8::1")))
    }

    @Test func theOrderAlreadyInterleavedStays() throws {
        let sorted = try addresses("2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2")
        #expect(HappyEyeballs.order(sorted) == sorted)
    }
}
