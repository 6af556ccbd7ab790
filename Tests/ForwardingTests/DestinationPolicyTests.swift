import LinuxSystem
import Testing
import Wire

@testable import Forwarding

@Suite struct DestinationPolicyTests {
    private func endpoint(_ text: String, port: UInt16 = 80) throws -> IPEndpoint {
        try #require(try SocketAddress(parsing: text, port: port).endpoint)
    }

    @Test(
        arguments: [
            ("127.0.0.1", .loopback), ("127.255.255.255", .loopback), ("0.0.0.0", .loopback), ("::1", .loopback),
            ("::", .loopback), ("::ffff:127.0.0.1", .loopback), ("::127.0.0.1", .loopback),
            ("64:ff9b::7f00:1", .loopback),
            ("2002:7f00:1::1", .loopback), ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal),
            ("64:ff9b::a9fe:a9fe", .linkLocal), ("febf:ffff::1", .linkLocal), ("224.0.0.1", .multicast),
            ("ff02::1", .multicast),
            ("239.255.255.255", .multicast), ("255.255.255.255", .broadcast), ("8.8.8.8", nil), ("2001:db8::1", nil),
            ("fec0::1", nil), ("64:ff9b::808:808", nil), ("2002:808:808::", nil), ("128.0.0.1", nil),
            ("126.255.255.255", nil), ("64:ff9b:1::127.0.0.1", .loopback),
            ("64:ff9b:1:fffe::169.254.169.254", .linkLocal),
            ("64:ff9b:1:7f00:0:100::", .loopback), ("64:ff9b:1:a9:fe:a9fe::", .linkLocal),
            ("64:ff9b:1:1:7f:0:100:0", .loopback), ("64:ff9b:1::8.8.8.8", nil), ("64:ff9b:1:808:8:800::", nil),
            ("64:ff9b:1::", .loopback), ("64:ff9b:1:fffe::8.8.8.8", nil),
            // Teredo: the client's bits are turned round; then the server.
            ("2001:0:808:808:0:0:80ff:fffe", .loopback), ("2001:0:7f00:1:0:0:f7f7:f7f7", .loopback),
            ("2001:0:808:808:0:0:f7f7:f7f7", nil), ("2002:a9fe:a9fe::", .linkLocal),
            ("::ffff:0:127.0.0.1", .loopback), ("::ffff:0:8.8.8.8", nil),
        ] as [(String, DestinationPolicy.Denial?)])
    func special_addresses(address: String, denial: DestinationPolicy.Denial?) throws {
        let everything: [DestinationPolicy.Rule] = [
            .init(.any), .init(.network(NetworkPrefix(.ipv4(0), length: 0))), .init(.name("*")),
            .init(.network(NetworkPrefix(.ipv6(0), length: 0))),
        ]
        let target = try endpoint(address)
        #expect(DestinationPolicy().denial(of: target, name: "a.example", everywhere: true) == denial)
        #expect(DestinationPolicy(allow: everything).denial(of: target, name: "a.example", everywhere: false) == denial)
    }

    @Test func what_is_named_is_allowed() throws {
        let loopback = NetworkPrefix(.ipv4(0x7F00_0001), length: 32)
        let policy = DestinationPolicy(allow: [
            .init(.network(loopback), ports: 80...80), .init(.name("localhost"), ports: 81...81),
            .init(.name("rebound.example")), .init(.network(NetworkPrefix(.ipv4(0xA9FE_0000), length: 16))),
        ])
        #expect(policy.denial(of: try endpoint("127.0.0.1"), name: nil, everywhere: false) == nil)
        #expect(policy.denial(of: try endpoint("127.0.0.1", port: 81), name: nil, everywhere: false) == .loopback)
        #expect(policy.denial(of: try endpoint("::1", port: 81), name: "LOCALHOST.", everywhere: false) == nil)
        #expect(policy.denial(of: try endpoint("127.0.0.2"), name: nil, everywhere: false) == .loopback)
        // Its owner decides where a name leads.
        #expect(policy.denial(of: try endpoint("127.0.0.9"), name: "rebound.example", everywhere: false) == .loopback)
        #expect(policy.denial(of: try endpoint("8.8.8.8"), name: "rebound.example", everywhere: false) == nil)
        #expect(policy.denial(of: try endpoint("169.254.169.254"), name: nil, everywhere: false) == nil)
    }

    @Test func deny_wins_and_nothing_said_follows_the_listener() throws {
        let policy = DestinationPolicy(
            deny: [.init(.network(NetworkPrefix(.ipv4(0x0A00_0000), length: 8))), .init(.any, ports: 25...25)])
        #expect(policy.denial(of: try endpoint("10.1.2.3"), name: nil, everywhere: true) == .rule)
        #expect(policy.denial(of: try endpoint("8.8.8.8", port: 25), name: nil, everywhere: true) == .rule)
        #expect(policy.denial(of: try endpoint("8.8.8.8"), name: nil, everywhere: true) == nil)
        #expect(policy.denial(of: try endpoint("8.8.8.8"), name: nil, everywhere: false) == .rule)
        #expect(policy.denial(of: try endpoint("::ffff:10.1.2.3"), name: nil, everywhere: true) == .rule)
    }

    @Test func the_daemon_itself() throws {
        let any = SocketAddress.any(.ipv6, port: 1080)
        let one = try SocketAddress(parsing: "192.0.2.7", port: 3128)
        let policy = DestinationPolicy(ownListeners: OwnListeners([any, one]))
        #expect(policy.denial(of: try endpoint("192.0.2.7", port: 3128), name: nil, everywhere: true) == .ownListener)
        #expect(policy.denial(of: try endpoint("192.0.2.8", port: 3128), name: nil, everywhere: true) == nil)
        #expect(policy.isOwnListener(try endpoint("127.0.0.1", port: 1080)))
        #expect(!policy.isOwnListener(try endpoint("192.0.2.8", port: 1080)))
    }

    @Test(arguments: [
        ("a.example.net", "*.example.net", true), ("example.net", "*.example.net", false), ("", "*", true),
        ("abcabd", "*abd", true), ("aXbXc", "a*b*c", true), ("aXbX", "a*b*c", false), ("a", "a", true),
        ("ab", "a", false),
    ])
    func patterns(name: String, pattern: String, matches: Bool) {
        #expect(Glob.matches(Array(name.utf8), Array(pattern.utf8)) == matches)
    }

    @Test func networks() throws {
        let mapped = NetworkPrefix(.ipv6(0xFFFF_0A00_0000), length: 104)
        #expect(mapped.contains(try endpoint("10.9.9.9").address))
        let six = NetworkPrefix(.ipv6(0), length: 0)
        #expect(six.contains(try endpoint("2001:db8::1").address))
        #expect(!six.contains(.ipv4(1)) && !six.contains(.ipv6(0xFFFF_0000_0001)))
        let access = ClientAccess(allow: [mapped], deny: [NetworkPrefix(.ipv4(0x0A00_0001), length: 32)])
        #expect(access.admits(.ipv4(0x0A00_0002)) && !access.admits(.ipv4(0x0A00_0001)) && !access.admits(.ipv4(1)))
        #expect(access.admits(nil))
    }

    @Test func an_address_that_was_given_up_is_nobodys_own() throws {
        let one = try SocketAddress(parsing: "192.0.2.7", port: 3128)
        let two = try SocketAddress(parsing: "192.0.2.7", port: 3129)
        let own = OwnListeners([one])
        let policy = DestinationPolicy(ownListeners: own)
        own.add(two)
        own.set([two])
        #expect(policy.denial(of: try endpoint("192.0.2.7", port: 3128), name: nil, everywhere: true) == nil)
        #expect(policy.denial(of: try endpoint("192.0.2.7", port: 3129), name: nil, everywhere: true) == .ownListener)
    }

    @Test func a_changed_connection_rate_goes_on_where_it_was() throws {
        let rate = ConnectionRate(perSecond: 100, isPerClient: false)
        let client = try SocketAddress(parsing: "192.0.2.1", port: 1)
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        for _ in 0..<60 { _ = rate.reserve(for: client, now: now, patience: .max) }
        rate.setRate(perSecond: 10)
        #expect(rate.reserve(for: client, now: now, patience: .max) == now + 510_000_000)
        #expect(rate.reserve(for: client, now: now, patience: .max) == now + 610_000_000)
    }

    @Test func a_client_has_so_many_connections() throws {
        let limit = ClientLimit(2)
        let one = ClientKey(try SocketAddress(parsing: "192.0.2.1", port: 1))
        #expect(one == ClientKey(try SocketAddress(parsing: "::ffff:192.0.2.1", port: 2)))
        let six = ClientKey(try SocketAddress(parsing: "2001:db8::1", port: 1))
        #expect(six == ClientKey(try SocketAddress(parsing: "2001:db8::ffff:1", port: 1)))
        #expect(limit.enter(one) && limit.enter(one) && !limit.enter(one) && limit.enter(six))
        limit.leave(one)
        #expect(limit.enter(one) && !limit.enter(one))
        limit.setLimit(1)
        limit.leave(one)
        #expect(!limit.enter(one))
        limit.leave(one)
        limit.leave(six)
        #expect(limit.clients == 0)
    }

    @Test func connection_rates_are_kept() throws {
        let rate = ConnectionRate(perSecond: 100, isPerClient: true)
        let client = try SocketAddress(parsing: "2001:db8::1", port: 1)
        let neighbour = try SocketAddress(parsing: "2001:db8::2", port: 1)
        let other = try SocketAddress(parsing: "2001:db8:1::1", port: 1)
        let now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        var starts: [MonotonicTime] = []
        for _ in 0..<60 { starts.append(rate.reserve(for: client, now: now, patience: .max) ?? .never) }
        // Ten at once, the others ten milliseconds apart.
        #expect(starts.filter { $0 == now }.count == 10)
        #expect(starts.last == now + 500_000_000)
        #expect(rate.reserve(for: neighbour, now: now, patience: 100_000_000) == nil)
        #expect(rate.reserve(for: other, now: now, patience: 0) == now)
        #expect(rate.reserve(for: client, now: now + 2_000_000_000, patience: 0) == now + 2_000_000_000)
    }
}
