import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Ten thousand idle connections and a thousand active ones at once, and nothing left of them.
    @Suite(.serialized) struct LoadTests {
        private static let idle = 10_000
        private static let active = 1_000
        /// Relays between the two ends. With one, so many connections from one address to one port would have the
        /// kernel look for a free port for milliseconds at each.
        private static let ways = 8

        @Test(.timeLimit(.minutes(Soak.isWanted ? 15 : 5)))
        func tenThousandIdleAndAThousandActive() async throws {
            let directory = try TemporaryDirectory()
            let lab = try Lab()
            defer {
                lab.close()
                withExtendedLifetime(directory) {}
            }
            let near = try lab.host("near")
            let braids = try await start(lab, near, directory)
            let total = Self.idle + Self.active
            // A few first: what is made once, and kept, is no leak.
            try await load(near, idle: 100, active: 50, rounds: 2) {}
            try await expectRecords(braids, connections: 150)
            let before = try Resources(of: braids)
            print("load: before \(before)")

            var first: Resources?
            for turn in 1...(Soak.isWanted ? 8 : 2) {
                try await load(near, idle: Self.idle, active: Self.active, rounds: 10) {
                    let during = try Resources(of: braids)
                    print("load: during \(during)")
                    #expect(during.descriptors[0] >= before.descriptors[0] + total)
                    #expect(during.mptcpSockets[0] >= before.mptcpSockets[0] + total)
                }
                let after = try await back(to: before, braids)
                print("load: after  \(after)")
                #expect(after.hasSameSockets(as: before))
                if let slab = after.slabObjects, let slabBefore = before.slabObjects {
                    // The machine's other tests have some too.
                    #expect(slab < slabBefore + total / 5)
                }
                for (index, resident) in after.residentKiB.enumerated() {
                    // The table of connections keeps its places; that is all there is to keep, however often.
                    #expect(resident < before.residentKiB[index] + total * 3 / 2)
                    if let first { #expect(resident < first.residentKiB[index] + 4 * 1024) }
                }
                first = first ?? after
                try await expectRecords(braids, connections: 150 + turn * total)
            }
        }

        /// The far end, which carries all connections, then the near end. A connection of the near end takes two
        /// descriptors: where the limit is too low for so many, and may not be raised, it is more than one process.
        private func start(_ lab: Lab, _ near: Host, _ directory: TemporaryDirectory) async throws -> [LoadedBraid] {
            let far = try lab.host("far")
            let cable = try lab.cable(near, far, name: "lan")
            // Below are the listeners.
            try near.sysctl("net.ipv4.ip_local_port_range", "10000 65535")
            let total = Self.idle + Self.active
            let limits = "[limits]\nconnections = \(total + 100)\n"
            let listen = (0..<Self.ways).map { "\"mptcp://*:\(8000 + $0)\"" }.joined(separator: ", ")
            let farRelay = "[[relay]]\nname = \"far\"\nlisten = [\(listen)]\nupstream = \"echo://\"\n"
            var braids = [try await LoadedBraid("far", farRelay + limits, in: far, directory: directory)]
            let count = min(Self.ways, (2 * total + 500 + Self.descriptorLimit) / Self.descriptorLimit)
            for number in 0..<count {
                let relays = stride(from: number, to: Self.ways, by: count).map {
                    TwoEnds.relay(
                        "near\($0)", listen: "tcp://127.0.0.1:\(7000 + $0)",
                        upstream: "mptcp://\(cable.address(of: far)):\(8000 + $0)")
                }
                braids.append(
                    try await LoadedBraid("near\(number)", relays.joined() + limits, in: near, directory: directory))
            }
            return braids
        }

        private func load(
            _ host: Host, idle: Int, active: Int, rounds: Int, atItsHeight: () throws -> Void
        ) async throws {
            let ports = (0..<Self.ways).map { "\(7000 + $0)" }.joined(separator: ",")
            let client = try host.spawn(
                [try Application.python.path, "-uc", LoadProgram.text, ports, "\(idle)", "\(active)", "\(rounds)"],
                input: true)
            print("load: \(try await client.line(containing: "open", timeout: .seconds(90)))")
            try atItsHeight()
            try client.write("go on\n")
            try await client.line(containing: "closed", timeout: .seconds(90))
            let output = try await client.finish()
            #expect(output.status == .exited(0), "\(output.standardError)")
        }

        /// Waits until the sockets are gone: the kernel closes them in its own time.
        private func back(to before: Resources, _ braids: [LoadedBraid]) async throws -> Resources {
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let now = try Resources(of: braids)
                if now.hasSameSockets(as: before) || ContinuousClock.now > deadline { return now }
                try await Task.sleep(for: .milliseconds(50))
            }
        }

        /// Expects that so many connections have a record at either end, each multipath and closed in order.
        private func expectRecords(_ braids: [LoadedBraid], connections: Int) async throws {
            // The log follows when the sockets are closed already.
            let deadline = ContinuousClock.now + .seconds(30)
            while true {
                let records = try braids.map { try $0.records() }
                let ended = records.reduce(0) { $0 + $1.ended }
                if ended < 2 * connections, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(200))
                    continue
                }
                #expect(ended == 2 * connections)
                #expect(records.compactMap(\.odd) == [])
                return
            }
        }

        /// How many descriptors a process may raise its limit to.
        private static let descriptorLimit: Int = {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            return Int(clamping: limit.rlim_max)
        }()
    }
}
