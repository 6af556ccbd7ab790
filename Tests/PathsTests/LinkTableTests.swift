import LinuxSystem
import Testing
import TestNamespace

@testable import Paths

@Suite("Link table")
struct LinkTableTests {
    static let link = hex(
        """
        00 00 0100 03000000 43100100 00000000   # ifinfomsg: index 3, UP RUNNING MULTICAST LOWER_UP BROADCAST
        0900 0300 657468300000 0000             # IFLA_IFNAME "eth0"
        0800 0400 dc050000                      # IFLA_MTU 1500
        """)
    static let address = hex(
        """
        02 18 80 00 03000000                    # ifaddrmsg: AF_INET /24 PERMANENT, global, interface 3
        0800 0100 c0000201                      # IFA_ADDRESS 192.0.2.1
        0800 0200 c0000201                      # IFA_LOCAL
        0800 0800 80000000                      # IFA_FLAGS
        """)
    static let address6 = hex(
        """
        0a 40 c0 00 03000000                    # AF_INET6 /64 PERMANENT|TENTATIVE
        1400 0100 20010db8000000000000000000000001
        0800 0800 c0000000
        """)
    static let route = hex(
        """
        02 00 00 00 fe 03 00 01 00000000        # rtmsg: AF_INET, /0, table main, boot, universe, unicast
        0800 0f00 fe000000                      # RTA_TABLE 254
        0800 0600 65000000                      # RTA_PRIORITY 101
        0800 0500 c0000202                      # RTA_GATEWAY 192.0.2.2
        0800 0400 03000000                      # RTA_OIF 3
        """)
    static let multipathRoute = hex(
        """
        02 00 00 00 fe 03 00 01 00000000
        0800 0f00 4d000000                      # table 77
        2400 0900                               # RTA_MULTIPATH
          1000 00 00 03000000                   #   16 bytes, interface 3
            0800 0500 c0000203                  #     gateway
          1000 00 00 04000000                   #   interface 4
            0800 0500 c6336402
        """)

    private func message(_ type: UInt16, _ payload: [UInt8], _ flags: NetlinkFlags = []) -> NetlinkMessage {
        NetlinkMessage(type: type, flags: flags, payload: payload)
    }

    @Test("links, addresses and routes appear, change and vanish")
    func changes() throws {
        var table = LinkTable()
        let eth0 = NetworkInterface(index: 3, name: "eth0", flags: 0x11043, mtu: 1500)
        #expect(try table.apply(message(16, Self.link)) == [.interfaceAppeared(eth0)])
        #expect(try table.apply(message(16, Self.link)).isEmpty)
        #expect(eth0.isUsable && eth0.isUp && eth0.isRunning && !eth0.isLoopback)

        var withoutCarrier = Self.link
        withoutCarrier[8] = 0x03
        let down = NetworkInterface(index: 3, name: "eth0", flags: 0x11003, mtu: 1500)
        #expect(try table.apply(message(16, withoutCarrier)) == [.interfaceChanged(from: eth0, to: down)])
        #expect(table.routesAreUncertain)
        #expect(!down.isUsable)

        let address = InterfaceAddress(
            interface: 3, address: try SocketAddress(parsing: "192.0.2.1", port: 0), prefixLength: 24, flags: 0x80)
        #expect(try table.apply(message(20, Self.address)) == [.addressAppeared(address)])
        let tentative = InterfaceAddress(
            interface: 3, address: try SocketAddress(parsing: "2001:db8::1", port: 0), prefixLength: 64, flags: 0xC0)
        #expect(try table.apply(message(20, Self.address6)) == [.addressAppeared(tentative)])
        #expect(!tentative.isUsable)
        var settled = Self.address6
        settled[32] = 0x80
        let usable = InterfaceAddress(
            interface: 3, address: tentative.address, prefixLength: 64, flags: 0x80)
        #expect(try table.apply(message(20, settled)) == [.addressChanged(from: tentative, to: usable)])
        #expect(usable.isUsable)

        let route = DefaultRoute(
            family: .ipv4, interface: 3, table: 254, metric: 101,
            gateway: try SocketAddress(parsing: "192.0.2.2", port: 0))
        #expect(try table.apply(message(24, Self.route)) == [.routeAppeared(route)])
        #expect(try table.apply(message(24, Self.route)).isEmpty)
        #expect(table.hasDefaultRoute(3, .ipv4) && !table.hasDefaultRoute(3, .ipv6))
        let hops = try table.apply(message(24, Self.multipathRoute))
        #expect(hops.map(\.interface) == [3, 4])
        #expect(table.routes.count == 3)
        #expect(try table.apply(message(25, Self.route)) == [.routeVanished(route)])
        #expect(try table.apply(message(25, Self.route)).isEmpty)

        #expect(try table.apply(message(21, Self.address)) == [.addressVanished(address)])
        let gone = try table.apply(message(17, Self.link))
        #expect(gone.last == .interfaceVanished(down))
        #expect(gone.contains(.addressVanished(usable)))
        #expect(table.addresses.isEmpty)
        #expect(table.routes.map(\.interface) == [4])
    }

    @Test("what is no news of ours is passed over: bridge ports, other routes, other messages")
    func passedOver() throws {
        var table = LinkTable()
        var bridge = Self.link
        bridge[0] = 7
        #expect(try table.apply(message(17, bridge)).isEmpty)
        for (offset, value) in [(0, UInt8(128)), (1, 24), (7, 3)] {
            var other = Self.route
            other[offset] = value
            #expect(try table.apply(message(24, other)).isEmpty)
        }
        #expect(try table.apply(message(99, [1, 2])).isEmpty)
        #expect(table == LinkTable())
        // A route that replaces another says nothing of the other.
        _ = try table.apply(message(24, Self.route, LinkMessages.replace))
        #expect(table.routesAreUncertain)
    }

    @Test("a new look at everything tells what was missed, what is gone first")
    func replaced() throws {
        var old = LinkTable()
        for (type, payload) in [(16, Self.link), (20, Self.address), (24, Self.route)] as [(UInt16, [UInt8])] {
            _ = try old.apply(message(type, payload))
        }
        var new = LinkTable()
        _ = try new.apply(message(16, Self.link))
        _ = try new.apply(message(20, Self.address6))
        var copy = old
        let changes = copy.replace(with: new)
        #expect(copy == new)
        #expect(changes.count == 3)
        guard case .routeVanished = changes[0], case .addressVanished = changes[1], case .addressAppeared = changes[2]
        else {
            Issue.record("\(changes)")
            return
        }
        #expect(copy.replace(with: new).isEmpty)
        #expect(copy.replace(with: LinkTable()).count == 2)
    }

    private static let all: [(UInt16, [UInt8])] = [
        (16, link), (20, address), (20, address6), (24, route), (24, multipathRoute),
    ]

    @Test("cut off anywhere: an error or what was whole, and the table stays in order")
    func truncation() {
        for (type, payload) in Self.all {
            for count in 0..<payload.count {
                let cut = Array(payload[..<count])
                var table = LinkTable()
                do {
                    try table.apply(message(type, cut))
                    // Only padding may be missing: with it, the same comes out.
                    var padded = LinkTable()
                    _ = try? padded.apply(
                        message(type, cut + [UInt8](repeating: 0, count: (4 - count % 4) % 4)))
                    #expect(table == padded)
                    #expect(count >= 8)
                } catch {
                    #expect(table == LinkTable(), "an error changes nothing")
                }
            }
        }
    }

    @Test("random changes do no harm")
    func mutations() {
        var mutations = Mutations(seed: 3)
        var table = LinkTable()
        var selector = LinkSelector([ConfiguredLink(name: "", target: .interface("*"))], exclude: ["lo"])
        for round in 0..<3000 {
            for (type, payload) in Self.all {
                let removes: UInt16 = round.isMultiple(of: 3) ? 1 : 0
                _ = try? table.apply(message(type + removes, mutations.mutate(payload)))
            }
            if round.isMultiple(of: 100) {
                _ = WantedEndpoint.all(for: selector.links(in: table))
                table = LinkTable()
            }
        }
    }
}
