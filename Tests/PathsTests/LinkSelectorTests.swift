import LinuxSystem
import MultipathTCP
import Testing

@testable import Paths

@Suite("Configured links among the interfaces there are")
struct LinkSelectorTests {
    private func table() throws -> LinkTable {
        var table = LinkTable()
        for (index, name, flags) in [
            (1, "lo", 0x49), (2, "eth0", 0x43), (3, "wwan0", 0x43), (4, "docker0", 0x43), (5, "eth1", 0x43),
        ] as [(UInt32, String, UInt32)] {
            table.interfaces[index] = NetworkInterface(index: index, name: name, flags: flags, mtu: 1500)
            let address = index == 1 ? "127.0.0.1" : "192.0.\(index).1"
            try add(address, index, to: &table)
            if index > 1, index < 5 { table.routes.append(DefaultRoute(family: .ipv4, interface: index)) }
        }
        try add("2001:db8:2::1", 2, to: &table)
        try add("fe80::1", 2, scope: 253, to: &table)
        return table
    }

    private func add(_ text: String, _ index: UInt32, scope: UInt8 = 0, flags: UInt32 = 0, to table: inout LinkTable)
        throws
    {
        table.addresses.append(
            InterfaceAddress(
                interface: index, address: try SocketAddress(parsing: text, port: 0), prefixLength: 24, scope: scope,
                flags: flags))
    }

    @Test("every interface with a default route, minus the patterns")
    func star() throws {
        var selector = LinkSelector(
            [ConfiguredLink(name: "", target: .interface("*"), isBackup: true)], exclude: ["docker*"])
        let links = selector.links(in: try table())
        #expect(links.map(\.name) == ["eth0", "wwan0"])
        #expect(links.allSatisfy { $0.state == .up && $0.configured.isBackup })
        #expect(links[0].addresses.map(\.host) == ["192.0.2.1", "2001:db8:2::1"])
    }

    @Test("named links come before what * would make of them, and by priority")
    func named() throws {
        var selector = LinkSelector(
            [
                ConfiguredLink(name: "", target: .interface("*"), priority: 1),
                ConfiguredLink(name: "mobile", target: .interface("wwan0"), priority: 2),
                ConfiguredLink(name: "wired", target: .interface("eth1")),
                ConfiguredLink(name: "gone", target: .interface("eth7")),
            ], exclude: ["lo", "docker*"])
        let links = selector.links(in: try table())
        #expect(links.map(\.name) == ["wired", "gone", "eth0", "mobile"])
        #expect(links.map(\.state) == [.up, .absent, .up, .up])
        // It never had a default route, so its own network is what it is for.
        #expect(links[0].addresses.map(\.host) == ["192.0.5.1"])
    }

    @Test("why a link cannot be used, and that it can again")
    func states() throws {
        var selector = LinkSelector([ConfiguredLink(name: "a", target: .interface("eth0"))], exclude: [])
        var table = try table()
        let good = table
        func state() -> LinkStatus.State? { selector.links(in: table).first?.state }
        #expect(state() == .up)
        table.interfaces[2]?.flags = 0x03
        #expect(state() == .noCarrier)
        table.interfaces[2]?.flags = 0x02
        #expect(state() == .down)
        table = good
        table.routes.removeAll { $0.interface == 2 }
        #expect(state() == .up, "IPv6 never had a default route here")
        #expect(selector.links(in: table).first?.addresses.map(\.host) == ["2001:db8:2::1"])
        table.addresses.removeAll { $0.address.family == .ipv6 }
        #expect(state() == .noRoute)
        table.addresses.removeAll { $0.interface == 2 }
        #expect(state() == .noAddress)
        try add("192.0.2.7", 2, flags: 0x40, to: &table)
        #expect(state() == .noAddress, "tentative")
        table.interfaces[2] = nil
        #expect(state() == .absent)
        table = good
        #expect(state() == .up)
    }

    @Test("addresses: found wherever they are; announced ones may be elsewhere")
    func addresses() throws {
        let elsewhere = try SocketAddress(parsing: "203.0.113.9", port: 0)
        let here = try SocketAddress(parsing: "192.0.3.1", port: 0)
        var selector = LinkSelector(
            [
                ConfiguredLink(name: "a", target: .address(here), isAnnounced: true, port: 7143),
                ConfiguredLink(name: "b", target: .address(elsewhere), isAnnounced: true),
                ConfiguredLink(name: "c", target: .address(elsewhere)),
            ], exclude: [])
        let links = selector.links(in: try table())
        #expect(links.map(\.state) == [.up, .up, .absent])
        #expect(links.map(\.interface) == [3, 0, 0])
        let wanted = WantedEndpoint.all(for: links).map(\.endpoint)
        #expect(wanted.map(\.flags) == [.signal, .signal])
        #expect(wanted.map(\.address) == [here.with(port: 7143), elsewhere])
    }

    @Test("of many addresses, one of each family for each link comes first; temporary ones last")
    func ranking() throws {
        var table = try table()
        try add("2001:db8:2::aa", 2, flags: 0x01, to: &table)
        try add("2001:db8:2::bb", 2, to: &table)
        try add("2001:db8:2::cc", 2, flags: 0x20, to: &table)
        var selector = LinkSelector(
            [
                ConfiguredLink(name: "x", target: .interface("eth0")),
                ConfiguredLink(name: "y", target: .interface("wwan0")),
            ],
            exclude: [])
        let wanted = WantedEndpoint.all(for: selector.links(in: table))
        #expect(
            wanted.map(\.endpoint.address.host)
                == ["192.0.2.1", "2001:db8:2::1", "192.0.3.1", "2001:db8:2::bb", "2001:db8:2::aa"])
        #expect(wanted.allSatisfy { $0.endpoint.interface != 0 && $0.endpoint.flags == .subflow })
    }

    @Test("another configuration remembers which interfaces had a default route")
    func reconfigured() throws {
        var table = try table()
        var selector = LinkSelector([ConfiguredLink(name: "x", target: .interface("eth0"))], exclude: [])
        #expect(selector.links(in: table).map(\.name) == ["x"])
        table.routes.removeAll { $0.interface == 3 }
        selector.configure([ConfiguredLink(name: "", target: .interface("*"))], exclude: ["docker*"])
        let links = selector.links(in: table)
        #expect(links.map(\.name) == ["eth0", "wwan0"])
        #expect(links.map(\.state) == [.up, .noRoute])
    }

    @Test("patterns are the shell's")
    func patterns() {
        #expect(LinkSelector.matches("docker*", "docker0"))
        #expect(LinkSelector.matches("wg?", "wg1"))
        #expect(!LinkSelector.matches("wg?", "wg10"))
        #expect(LinkSelector.matches("eth[01]", "eth1"))
        #expect(!LinkSelector.matches("lo", "lo0"))
    }
}
