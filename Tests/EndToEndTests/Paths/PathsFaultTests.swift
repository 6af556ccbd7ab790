import Lab
import Testing

extension EndToEndSuite {
    /// Links that go one after the other, addresses and routes that go, interfaces that come and go, under connections that
    /// are open.
    @Suite(.serialized) struct PathsFaultTests {
        /// What moves over the connection.
        enum Kind: String, Sendable {
            case ping, up, down
        }

        /// One case: what moves, and which link is back first. The first link that dies is wifi, the last lte.
        struct Case: Sendable {
            let kind: Kind
            let back: String
        }

        private static let cases: [Case] = {
            let always = [Case(kind: .ping, back: "lte"), Case(kind: .up, back: "wifi")]
            let soak = [Case(kind: .ping, back: "wifi"), Case(kind: .up, back: "lte"), Case(kind: .down, back: "lte")]
            return Soak.isWanted ? always + soak : always
        }()

        @Test(arguments: cases) func linksDieSilentlyOneAfterTheOther(it: Case) async throws {
            try await Lab.with { lab in
                let profile = LinkProfile(rate: .mbit(10), delay: .milliseconds(15))
                let paths = try PathsLab.make(in: lab, wifi: profile, lte: profile)
                _ = try await paths.startFar()
                let near = try await paths.startNear()
                let (client, server) = try await paths.applications()
                switch it.kind {
                case .ping: try await client.ping("127.0.0.1", port: 8080)
                case .up: try await client.up("127.0.0.1", port: 8080)
                case .down: try await client.down("127.0.0.1", port: 8080)
                }
                let receiver = it.kind == .up ? server : client
                let some = it.kind == .ping ? 60 : 1_000_000
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await receiver.wait(for: some)
                paths.wifi.blackhole(true)
                try await near.record { $0.event == "link-down" && $0["link"] == "wifi" }
                try await paths.until("one subflow") { try paths.subflows() == [1] }
                try await receiver.wait(for: some)
                paths.lte.blackhole(true)
                // Long enough for the kernel's own next try to be seconds away.
                try await Task.sleep(for: .seconds(it.kind == .down ? 7 : 4))
                try await receiver.mark()
                paths.link(it.back).blackhole(false)
                let took = try await receiver.wait(for: it.kind == .ping ? 2 : 50_000, timeout: .seconds(30))
                print(
                    "measured: both links dead one after the other, \(it.kind), \(it.back) is back: goes on after \(took)"
                )
                #expect(took < .milliseconds(1500))
                #expect(near.records("link-down").contains { $0["link"] == "lte" && $0["state"] == "stalled" })
                for link in [paths.wifi, paths.lte] { link.blackhole(false) }
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try await receiver.errors() == 0)
            }
        }

        /// The kernel moves ping-pong to the other link by itself before it is sure that this one is dead: that the whole waits
        /// for nothing then must not make anybody forget the subflow that does.
        @Test func aLinkThatTheKernelHasLeftAlreadyIsFoundDeadAllTheSame() async throws {
            try await Lab.with { lab in
                let profile = LinkProfile(rate: .mbit(10), delay: .milliseconds(15))
                let paths = try PathsLab.make(in: lab, wifi: profile, lte: profile)
                _ = try await paths.startFar()
                let near = try await paths.startNear()
                let (client, _) = try await paths.applications()
                // So few segments that nothing is known of losses, and one segment without an answer says little.
                try await client.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await client.wait(for: 10)
                paths.wifi.blackhole(true)
                let died = ContinuousClock.now
                try await near.record(timeout: .seconds(15)) { $0.event == "link-down" && $0["link"] == "wifi" }
                print(
                    "measured: a link that ping-pong has left by itself is found dead after \(ContinuousClock.now - died)"
                )
                #expect(try await client.errors() == 0)
            }
        }

        @Test func addressesAndRoutesThatGoAndComeBack() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                _ = try await paths.startNear()
                let (client, _) = try await paths.applications()
                try await client.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await client.wait(for: 20)
                let address = "\(paths.wifi.address(of: paths.near))/24"
                func goes(_ what: String, _ left: [String], _ take: () throws -> Void) async throws {
                    try await client.mark()
                    try take()
                    try await paths.until("the endpoint gone with its \(what)") { try paths.endpoints() == left }
                    try await paths.until("one subflow") { try paths.subflows() == [1] }
                    try await client.wait(for: 20)
                    let sample = try await client.sample()
                    print("measured: \(what) gone: worst round trip \(sample.worst)")
                    #expect(sample.worst < .seconds(1), "\(sample)")
                }
                func comesBack() async throws {
                    try await paths.until("all endpoints") { try paths.endpoints() == PathsLab.allEndpoints }
                    try await paths.until("two subflows again") { try paths.subflows() == [2] }
                }
                try await goes("address", ["lte", "lte", "wifi"]) {
                    try paths.near.run("ip", "address", "del", address, "dev", "wifi")
                }
                try paths.near.run("ip", "address", "add", address, "dev", "wifi")
                try paths.restoreRoutes(over: paths.wifi)
                try await comesBack()

                let table = "\(100 + paths.lte.number)"
                try await goes("default route", ["lte", "wifi", "wifi"]) {
                    for place in [["metric", table], ["table", table]] {
                        try paths.near.run(["ip", "-4", "route", "del", "default", "dev", "lte"] + place)
                    }
                }
                try paths.restoreRoutes(over: paths.lte)
                try await comesBack()
                #expect(try await client.errors() == 0)
            }
        }

        @Test func anInterfaceThatAppearsIsUsedByOpenConnections() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar()
                let near = try await paths.startNear(paths: "[paths]\nmanage = true\n")
                let (client, _) = try await paths.applications()
                try await client.ping("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                let usb = try lab.link(paths.near, paths.far, name: "usb", rate: .mbit(50), delay: .milliseconds(10))
                try paths.near.uplink(usb)
                try await near.record { $0.event == "link-up" && $0["link"] == "usb" }
                try await paths.until("three subflows") { try paths.subflows() == [3] }
                // And is pulled out again.
                try paths.near.run("ip", "link", "del", "usb")
                try await near.record { $0.event == "link-down" && $0["link"] == "usb" }
                try await paths.until("two subflows again") { try paths.subflows() == [2] }
                #expect(try paths.endpoints() == PathsLab.allEndpoints)
                try await client.wait(for: 20)
                #expect(try await client.errors() == 0)
            }
        }
    }
}
