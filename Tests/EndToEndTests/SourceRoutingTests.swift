import Lab
import Testing

extension EndToEndSuite {
    /// Two uplinks behind two routers, each of which drops what carries the other's addresses.
    @Suite(.serialized) struct SourceRoutingTests {
        private struct Uplinks {
            let near: Host
            let far: Host
            let links: [Link]
            let farAddress: String
            let farAddress6: String
        }

        private func uplinks(_ lab: Lab) throws -> Uplinks {
            let near = try lab.host("near")
            let far = try lab.host("far")
            var links: [Link] = []
            var beyond: [Link] = []
            for (index, name) in ["wifi", "lte"].enumerated() {
                let router = try lab.host("router\(index)", forwards: true)
                let link = try lab.link(near, router, name: name, rate: .mbit(50), delay: .milliseconds(5))
                let way = try lab.link(router, far, name: "way\(index)")
                // Drops what could not be answered by where it came from.
                for interface in ["all", name] { try router.sysctl("net.ipv4.conf.\(interface).rp_filter", "1") }
                for (family, gateway, back) in [
                    ("-4", link.address(of: router), way.address(of: router)),
                    ("-6", link.address6(of: router), way.address6(of: router)),
                ] {
                    try near.run(
                        "ip", family, "route", "add", "default", "via", gateway, "dev", name, "metric", "\(100 + index)"
                    )
                    let net =
                        family == "-4" ? "10.0.\(link.number).0/24" : "fd00:0:0:\(String(link.number, radix: 16))::/64"
                    try far.run("ip", family, "route", "add", net, "via", back)
                    let out = family == "-4" ? way.address(of: far) : way.address6(of: far)
                    try router.run("ip", family, "route", "add", "default", "via", out)
                }
                // IPv6 has no reverse path filter of the kernel's own.
                try router.run(
                    ["nft", "-f", "-"],
                    input: """
                        table ip6 guard {
                            chain forward {
                                type filter hook forward priority 0
                                iifname "\(name)" ip6 saddr != fd00:0:0:\(String(link.number, radix: 16))::/64 drop
                            }
                        }

                        """)
                links.append(link)
                beyond.append(way)
            }
            return Uplinks(
                near: near, far: far, links: links, farAddress: beyond[0].address(of: far),
                farAddress6: beyond[0].address6(of: far))
        }

        private func rules(_ host: Host) throws -> [String] {
            try ["-4", "-6"].flatMap { family in
                try host.run("ip", family, "rule", "show").standardOutput.split(separator: "\n").map(String.init)
            }
        }

        @Test(arguments: [Host.AddressFamily.ipv4, .ipv6])
        func twoUplinksBehindTwoRoutersJustWork(family: Host.AddressFamily) async throws {
            try await Lab.with { lab in
                let scene = try uplinks(lab)
                let before = try rules(scene.near)
                let far = try await BraidProcess.start(
                    "[[relay]]\nlisten = \"mptcp://*:7143\"\nupstream = \"tcp://127.0.0.1:9000\"\n", in: scene.far)
                let near = try await BraidProcess.start(
                    """
                    [paths]
                    manage = true
                    routing = true
                    [[relay]]
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "mptcp://\(family == .ipv4 ? scene.farAddress : "[\(scene.farAddress6)]"):7143"
                    """, in: scene.near)
                // Interface "*" without any [[paths.link]].
                #expect(near.records("link-up").map { $0["link"] } == ["wifi", "lte"])
                let server = try Traffic(in: scene.far)
                try await server.serve("127.0.0.1", port: 9000)
                let client = try Traffic(in: scene.near)
                try await client.down("127.0.0.1", port: 8080)
                for link in scene.links {
                    let already = link.counters(.both).deliveredBytes
                    let deadline = ContinuousClock.now + .seconds(10)
                    while link.counters(.both).deliveredBytes < already + 1_000_000 {
                        try #require(ContinuousClock.now < deadline, "nothing over \(link.name)")
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                // A link that flaps gets its routes back.
                try scene.links[1].carrier(down: true)
                try await near.record("link-down")
                try scene.links[1].carrier(down: false)
                try await near.record { $0.event == "link-up" && near.records("link-up").count == 3 }
                let mark = scene.links[1].counters(.both).deliveredBytes
                let deadline = ContinuousClock.now + .seconds(10)
                while scene.links[1].counters(.both).deliveredBytes < mark + 1_000_000 {
                    try #require(ContinuousClock.now < deadline, "nothing over lte after its return")
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(near.records("path-refused").isEmpty, "\(near.records("path-refused"))")
                #expect(try await client.errors() == 0)
                client.kill()
                _ = try await near.stop()
                #expect(try rules(scene.near) == before)
                for family in ["-4", "-6"] {
                    let routes = try scene.near.run("ip", family, "route", "show", "table", "all").standardOutput
                    #expect(!routes.contains("table 71"), "\(routes)")
                }
                _ = far
            }
        }

        @Test func whatAKilledDaemonLeftIsRemoved() async throws {
            try await Lab.with { lab in
                let scene = try uplinks(lab)
                let before = try rules(scene.near)
                let config = """
                    [paths]
                    routing = true
                    [[relay]]
                    listen = "tcp://127.0.0.1:8080"
                    upstream = "mptcp://\(scene.farAddress):7143"
                    """
                let first = try await BraidProcess.start(config, in: scene.near)
                let once = try rules(scene.near)
                #expect(once.count > before.count)
                try first.signal(9)
                _ = try await first.process.finish()
                let second = try await BraidProcess.start(config, in: scene.near)
                let twice = try rules(scene.near)
                #expect(twice.sorted() == once.sorted(), "\(twice)")
                _ = try await second.stop()
                #expect(try rules(scene.near) == before)
            }
        }
    }
}
