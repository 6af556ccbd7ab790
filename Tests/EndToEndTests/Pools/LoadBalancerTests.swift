import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Several far ends behind one address that spreads connections without knowing MPTCP: the first subflow of each
    /// goes anywhere, and those that join it must find the same machine. docs/load-balancer.md.
    @Suite(.serialized) struct LoadBalancerTests {
        private static let address = "203.0.113.9"

        @Test(arguments: [false, true]) func subflowsFindTheFarEndOfTheirConnection(managed: Bool) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let balancer = try lab.host("balancer", forwards: true)
                let wifi = try lab.link(near, balancer, name: "wifi")
                let lte = try lab.link(near, balancer, name: "lte")
                var farEnds: [BraidProcess] = []
                var addresses: [String] = []
                for number in 1...2 {
                    let far = try lab.host("far\(number)")
                    let link = try lab.link(balancer, far, name: "dmz\(number)")
                    try far.run("ip", "route", "add", "default", "via", link.address(of: balancer))
                    // What the page tells to do on a far end.
                    try far.sysctl("net.mptcp.allow_join_initial_addr_port", "0")
                    _ = try await NamedServers(in: far, ports: [9000 + number])
                    addresses.append(link.address(of: far))
                    farEnds.append(
                        try await BraidProcess.start(
                            """
                            [paths]
                            manage = true
                            [[paths.link]]
                            address = "\(link.address(of: far))"
                            announce = true
                            port = 7144
                            [[relay]]
                            listen = "mptcp://*:7143"
                            upstream = "tcp://127.0.0.1:\(9000 + number)"
                            """, in: far, daemon: "threads = 1"))
                }
                try balancer.run("ip", "address", "add", "\(Self.address)/32", "dev", "lo")
                _ = try balancer.run(
                    ["nft", "-f", "-"],
                    input: """
                        table ip balance {
                          chain in {
                            type nat hook prerouting priority dstnat;
                            ip daddr \(Self.address) tcp dport 7143 dnat to numgen inc mod 2 map { 0 : \(addresses[0]), 1 : \(addresses[1]) }
                          }
                        }
                        """)
                // What it tells to do on the near end: each link opens a subflow to each address that is announced.
                try near.mptcp()
                for link in [wifi, lte] {
                    try near.uplink(link)
                    if !managed { try near.endpoint(link, [.subflow, .fullmesh]) }
                }
                let paths = """
                    [paths]
                    manage = true
                    [[paths.link]]
                    interface = "wifi"
                    fullmesh = true
                    [[paths.link]]
                    interface = "lte"
                    fullmesh = true

                    """
                _ = try await BraidProcess.start(
                    (managed ? paths : "") + Fleet.near(["mptcp://\(Self.address):7143"], ""), in: near)
                let peer = try Peer(in: near)
                var served: [String] = []
                for number in 0..<8 {
                    try await peer.must("c\(number) connect 127.0.0.1 8080")
                    try await peer.must("c\(number) send who")
                    served.append(try await peer.must("c\(number) read 4"))
                }
                #expect(served.count { $0 == "9001" } == 4, "\(served)")
                #expect(served.count { $0 == "9002" } == 4, "\(served)")
                // Two joins for each connection, by the announced address; the balancer sees none of them.
                let deadline = ContinuousClock.now + .seconds(10)
                while try near.counter("MPTcpExt", "MPJoinSynAckRx") < 16, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try near.counter("MPTcpExt", "MPJoinSynAckRx") == 16)
                for number in 1...2 {
                    let far = farEnds[number - 1]
                    #expect(far.process.isRunning)
                }
                // The link of the first subflows goes: every connection goes on over the other.
                try wifi.carrier(down: true)
                for number in 0..<8 {
                    try await peer.must("c\(number) send who")
                    #expect(try await peer.must("c\(number) read 4") == served[number])
                }
            }
        }
    }
}
