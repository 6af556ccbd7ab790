import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Ten thousand idle connections and a thousand active ones at once, and nothing left of them.
    @Suite(.serialized) struct LoadTests {
        private static let idle = 10_000
        private static let active = 1_000

        @Test func tenThousandIdleAndAThousandActive() async throws {
            let lab = try Lab()
            defer { lab.close() }
            let near = try lab.host("near")
            let far = try lab.host("far")
            let cable = try lab.cable(near, far, name: "lan")
            // Below are the listeners.
            try near.sysctl("net.ipv4.ip_local_port_range", "10000 65535")
            let total = Self.idle + Self.active
            // The far end carries them all. A connection of the near end takes two descriptors: where the limit
            // is too low for so many, and may not be raised, it is two processes.
            let nearCount = (2 * total + 500 + Self.descriptorLimit) / Self.descriptorLimit
            let limits = "[limits]\nconnections = \(total + 100)\n"
            let farBraid = try await BraidProcess.start(
                TwoEnds.relay("far", listen: "mptcp://*:7143", upstream: "echo://") + limits, in: far)
            var braids = [farBraid]
            let ports = (0..<nearCount).map { 7000 + $0 }
            for port in ports {
                braids.append(
                    try await BraidProcess.start(
                        TwoEnds.relay(
                            "near", listen: "tcp://127.0.0.1:\(port)",
                            upstream: "mptcp://\(cable.address(of: far)):7143")
                            + limits, in: near))
            }
            let hosts = [far] + ports.map { _ in near }
            // A few first: what is made once, and kept, is no leak.
            try await load(near, ports, idle: 100, active: 50, rounds: 2) {}
            var tally = Tally()
            try await settle(&tally, braids, connections: 150)
            let before = try measure(braids, hosts)

            for turn in 1...(Soak.isWanted ? 8 : 2) {
                try await load(near, ports, idle: Self.idle, active: Self.active, rounds: 10) {
                    let during = try measure(braids, hosts)
                    #expect(during.descriptors[0] >= before.descriptors[0] + total)
                    #expect(during.mptcpSockets[0] >= total)
                    print("load: at its height \(during)")
                }
                try await settle(&tally, braids, connections: 150 + turn * total)
                let after = try await back(to: before, braids, hosts)
                print("load: before \(before)\nload: after  \(after)")
                #expect(after.descriptors == before.descriptors)
                #expect(after.tcpSockets == before.tcpSockets)
                #expect(after.mptcpSockets == before.mptcpSockets)
            }
        }

        // MARK: The load

        private func load(
            _ host: Host, _ ports: [Int], idle: Int, active: Int, rounds: Int, atItsHeight: () throws -> Void
        ) async throws {
            let client = try host.spawn(
                [
                    try Application.python.path, "-uc", LoadProgram.text,
                    ports.map(String.init).joined(separator: ","), "\(idle)", "\(active)", "\(rounds)",
                ], input: true)
            print("load: \(try await client.line(containing: "open", timeout: .seconds(90)))")
            try atItsHeight()
            try client.write("go on\n")
            try await client.line(containing: "closed", timeout: .seconds(90))
            let output = try await client.finish()
            #expect(output.status == .exited(0), "\(output.standardError)")
        }

        /// The records of ended connections, each read once.
        private struct Tally {
            private var looked: [Int32: Int] = [:]
            private(set) var ended = 0
            private(set) var odd: [LogRecord] = []

            mutating func look(at braids: [BraidProcess]) {
                for braid in braids {
                    let lines = braid.process.lines
                    for line in lines[looked[braid.pid, default: 0]...] {
                        guard let record = LogRecord(line), record.event == "connection-ended" else { continue }
                        ended += 1
                        if record["multipath"] != "yes" || record.result != "closed" { odd.append(record) }
                    }
                    looked[braid.pid] = lines.count
                }
            }
        }

        /// Waits until so many connections have ended, each with a record at either end.
        private func settle(_ tally: inout Tally, _ braids: [BraidProcess], connections: Int) async throws {
            let deadline = ContinuousClock.now + .seconds(60)
            while tally.ended < 2 * connections, ContinuousClock.now < deadline {
                tally.look(at: braids)
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(tally.ended == 2 * connections)
            #expect(tally.odd.isEmpty, "\(tally.odd.count) records, such as \(String(describing: tally.odd.first))")
        }

        // MARK: What is taken

        private struct Measure: CustomStringConvertible {
            /// Of each process.
            var descriptors: [Int] = []
            var resident: [Int] = []
            /// Of each process's host: all sockets the kernel has, also those of no process.
            var tcpSockets: [Int] = []
            var mptcpSockets: [Int] = []

            var description: String {
                "descriptors \(descriptors), resident \(resident.map { $0 / 1024 }) KiB, TCP sockets \(tcpSockets), "
                    + "MPTCP sockets \(mptcpSockets)"
            }
        }

        private func measure(_ braids: [BraidProcess], _ hosts: [Host]) throws -> Measure {
            var result = Measure()
            for (braid, host) in zip(braids, hosts) {
                result.descriptors.append(try braid.openDescriptors())
                result.resident.append(try braid.residentBytes())
                let protocols = try host.read("/proc/thread-self/net/protocols").split(separator: "\n")
                    .map { $0.split(separator: " ") }
                func sockets(_ names: Set<Substring>) -> Int {
                    protocols.filter { names.contains($0[0]) }.reduce(0) { $0 + (Int($1[2]) ?? 0) }
                }
                result.tcpSockets.append(sockets(["TCP", "TCPv6"]))
                result.mptcpSockets.append(sockets(["MPTCP", "MPTCPv6"]))
            }
            return result
        }

        /// Waits until the sockets are gone: the kernel closes them in its own time.
        private func back(to before: Measure, _ braids: [BraidProcess], _ hosts: [Host]) async throws -> Measure {
            let deadline = ContinuousClock.now + .seconds(20)
            while true {
                let now = try measure(braids, hosts)
                if ContinuousClock.now > deadline { return now }
                if now.descriptors == before.descriptors, now.tcpSockets == before.tcpSockets,
                    now.mptcpSockets == before.mptcpSockets
                {
                    return now
                }
                try await Task.sleep(for: .milliseconds(50))
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
