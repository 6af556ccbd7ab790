import Lab
import Testing

extension LabSuite {
    /// Several links, MPTCP over them, and routers in between.
    @Suite(.serialized) struct TopologyTests {
        @Test(arguments: [Host.AddressFamily.ipv4, .ipv6])
        func multipathUsesBothLinks(family: Host.AddressFamily) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let links = try ["lte", "wifi"].map {
                    try lab.link(near, far, name: $0, rate: .mbit(20), delay: .milliseconds(5))
                }
                try near.multipath(over: links, families: [family])
                try far.mptcp()
                let sink = try await far.sink("mptcp")
                let address = family == .ipv4 ? links[0].address(of: far) : links[0].address6(of: far)
                let sent = try await near.send(to: sink, at: address, "mptcp", bytes: 6_000_000)
                #expect(sent.bytes == 6_000_000)
                for link in links {
                    // Less than all of it went over the other link.
                    #expect(link.counters(.aToB).deliveredBytes > 1_000_000, "\(link.name)")
                }
                #expect(try far.counter("MPTcpExt", "MPJoinAckRx") == 1)
            }
        }

        @Test func twoUplinksBehindRoutersThatFilterSources() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let server = try lab.host("server", forwards: true)
                var uplinks: [Link] = []
                for name in ["lte", "wifi"] {
                    let router = try lab.host("router-\(name)", forwards: true)
                    let uplink = try lab.link(near, router, name: name, rate: .mbit(20), delay: .milliseconds(5))
                    let core = try lab.cable(router, server, name: "core-\(name)")
                    try router.run("ip", "route", "add", "default", "via", core.address(of: server))
                    // As a provider does: only what comes from its own customers' addresses is let out.
                    try router.sysctl("net.ipv4.conf.all.rp_filter", "1")
                    try router.sysctl("net/ipv4/conf/\(name)/rp_filter", "1")
                    try server.run(
                        "ip", "route", "add", String(uplink.address(of: near).dropLast(1)) + "0/24", "via",
                        core.address(of: router))
                    uplinks.append(uplink)
                }
                let last = try lab.cable(server, far, name: "lan")
                try far.run("ip", "route", "add", "default", "via", last.address(of: server))
                try near.multipath(over: uplinks)
                try far.mptcp()
                let sink = try await far.sink("mptcp")
                let sent = try await near.send(to: sink, at: last.address(of: far), "mptcp", bytes: 6_000_000)
                #expect(sent.bytes == 6_000_000)
                for uplink in uplinks {
                    #expect(uplink.counters(.aToB).deliveredBytes > 1_000_000, "\(uplink.name)")
                }
            }
        }
    }
}
