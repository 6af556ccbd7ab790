import Lab
import Testing

extension EndToEndSuite {
    /// New connections while a link is dead: each link with each address of the upstream.
    @Suite(.serialized) struct PathsDialTests {
        /// 250 ms stagger, a round trip of 40 ms to connect and one to ask, 50 ms, and what a busy machine needs.
        private static let patience = Duration.milliseconds(250 + 2 * 40 + 50 + 150)

        /// Both links, wifi first.
        private static let ordered = PathsLab.managed.replacing(
            "interface = \"lte\"", with: "interface = \"lte\"\npriority = 10")

        /// A name of five addresses of the far end, which the near end dials.
        private func named(_ paths: PathsLab) async throws -> NameService {
            var records = ["--host-record=far.test,\(paths.wifi.address6(of: paths.far)),1"]
            for number in [2, 12, 13, 14] {
                let address = "10.0.\(paths.wifi.number).\(number)"
                if number > 2 { try paths.far.run("ip", "address", "add", "\(address)/24", "dev", "wifi") }
                records.append("--host-record=far.test,\(address),1")
            }
            return try await NameService(in: paths.near, records)
        }

        private func near(_ paths: PathsLab, _ settings: String, _ upstream: String, prefix: [String] = []) async throws
            -> BraidProcess
        {
            try await BraidProcess.start(
                """
                \(settings)
                [[relay]]
                listen = "tcp://127.0.0.1:8080"
                upstream = "\(upstream)"
                """, in: paths.near, prefix: prefix)
        }

        /// One connection while all is well, so that names are known.
        private func warmUp(_ paths: PathsLab) async throws {
            let peer = try Peer(in: paths.near)
            try await peer.must("c connect 127.0.0.1 8080")
            try await peer.must("c send hello")
            #expect(try await peer.must("c read 5") == "hello")
            try await peer.must("c close")
        }

        @Test func fiveAddressesOfBothFamiliesHoldUpNobodyLonger() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let names = try await named(paths)
                let braid = try await near(paths, Self.ordered, "mptcp://far.test:7143", prefix: names.prefix)
                try await warmUp(paths)
                paths.wifi.blackhole(true)
                let took = try await Traffic(in: paths.near).ping("127.0.0.1", port: 8080)
                print("measured: first answer of a new connection to five addresses, primary a blackhole: \(took)")
                #expect(took < Self.patience)
                #expect(braid.records("connection-ended").allSatisfy { $0.result == "closed" })
            }
        }

        @Test func aRefusalOverOneLinkMovesOnAtOnce() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let patient = Self.ordered.replacing("manage = true", with: "manage = true\nrace-delay = \"5s\"")
                _ = try await near(paths, patient, "mptcp://\(paths.wifi.address(of: paths.far)):7143")
                try paths.refuse(true, over: paths.wifi)
                let took = try await Traffic(in: paths.near).ping("127.0.0.1", port: 8080)
                print("measured: first answer of a new connection, refused over the primary: \(took)")
                #expect(took < .seconds(1))
            }
        }

        /// Without any configuration of links the routing table's choice comes first, and is not tried twice.
        @Test func withoutConfiguredLinksADeadDefaultRouteCostsTheStaggerOnce() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://", paths: "")
                _ = try await near(paths, "", "mptcp://\(paths.wifi.address(of: paths.far)):7143")
                paths.wifi.blackhole(true)
                let took = try await Traffic(in: paths.near).ping("127.0.0.1", port: 8080)
                print("measured: first answer of a new connection, the default route a blackhole: \(took)")
                #expect(took < Self.patience)
            }
        }
    }
}
