import Lab
import Testing

extension EndToEndSuite {
    /// A link that slows the whole is left, and one that adds to it is not.
    @Suite(.serialized) struct GuardTests {
        /// What a transfer over both links reached.
        private struct Outcome {
            /// Mbit/s of payload, from five seconds after its start on.
            var rate: Double
            var braid: BraidProcess
        }

        /// Gives the guard five seconds, then measures.
        private func measure(
            _ lab: Lab, _ row: GuardRow, paths extra: String = PathsLab.managed
        ) async throws -> Outcome {
            let paths = try PathsLab.make(in: lab, wifi: row.first, lte: row.second)
            if let largest = row.largestBuffer {
                for host in [paths.near, paths.far] {
                    try host.sysctl("net.ipv4.tcp_rmem", "4096 131072 \(largest)")
                    try host.sysctl("net.ipv4.tcp_wmem", "4096 16384 \(largest)")
                }
            }
            let congestion = "socket.congestion = \"\(row.congestion)\""
            _ = try await paths.startFar(relay: congestion)
            let server = try Traffic(in: paths.far)
            try await server.serve("127.0.0.1", port: 9000)
            // Every link is dialled by its priority.
            let order = extra.replacing("interface = \"wifi\"", with: "interface = \"wifi\"\npriority = 1")
            let braid = try await paths.startNear(paths: row.beginsOnSecond ? order : extra, relay: congestion)
            let client = try Traffic(in: paths.near)
            if row.isUpload {
                try await client.up("127.0.0.1", port: 8080)
            } else {
                try await client.down("127.0.0.1", port: 8080)
            }
            let receiver = row.isUpload ? server : client
            try await Task.sleep(for: .seconds(5))
            try await receiver.mark()
            // Two seconds or more.
            let bytes = Int(row.single * 1e6 / 8 * 2)
            let took = try await receiver.wait(for: bytes)
            #expect(try await receiver.errors() == 0)
            client.kill()
            return Outcome(rate: Double(bytes) * 8 / 1e6 / (took / .seconds(1)), braid: braid)
        }

        /// At least 0.95 of what the best link carries alone, where the kernel by itself shows 0.1 to 0.8.
        @Test(.timeLimit(.minutes(2)), arguments: GuardRow.badOnes)
        func aBadLinkIsLeft(_ row: GuardRow) async throws {
            let outcome = try await threeAttempts { (outcome: Outcome) in
                outcome.rate >= 0.95 * row.single
            } _: {
                try await Lab.with { lab in try await measure(lab, row) }
            }
            print("measured: \(row.testDescription): \(outcome.rate) Mbit/s, ratio \(outcome.rate / row.single)")
            #expect(outcome.rate >= 0.95 * row.single, "\(outcome.braid.records("link-backup"))")
            // Where the whole is no slower with it, nothing need be left.
            if row.congestion == "cubic", row.name != "50/400" {
                let record = try #require(outcome.braid.records("link-backup").first)
                #expect(record["link"] == "lte" && record["backup"] == "yes", "\(record)")
                #expect(record["why"]?.isEmpty == false)
            }
        }

        @Test func losses_that_are_no_congestion_get_another_congestion_control() async throws {
            try await Lab.with { lab in
                let lossy = LinkProfile(rate: .mbit(20), delay: .milliseconds(10), loss: 0.05)
                let paths = try PathsLab.make(in: lab, wifi: lossy, lte: lossy)
                for host in [paths.near, paths.far] { try host.sysctl("net.ipv4.tcp_congestion_control", "reno") }
                _ = try await paths.startFar(relay: "socket.listen.congestion = \"auto\"")
                let server = try Traffic(in: paths.far)
                try await server.serve("127.0.0.1", port: 9000)
                _ = try await paths.startNear()
                let client = try Traffic(in: paths.near)
                try await client.down("127.0.0.1", port: 8080)
                try await paths.until("bbr", within: .seconds(30)) {
                    try paths.far.run("ss", "-tniH", "state", "established", "sport", "7143").standardOutput.contains(
                        " bbr ")
                }
                client.kill()
            }
        }

        /// At least 0.95 of what the better of them carries alone, and of what the kernel makes of both with nobody
        /// interfering.
        @Test(.timeLimit(.minutes(2)), arguments: GuardRow.goodOnes)
        func aGoodLinkIsKept(_ row: GuardRow) async throws {
            let off = PathsLab.managed.replacing("manage = true", with: "manage = true\nguard = false")
            let rates = try await threeAttempts { (rates: (own: Double, kernel: Double)) in
                rates.own >= 0.95 * max(rates.kernel, row.single)
            } _: {
                let own = try await Lab.with { lab in try await measure(lab, row) }
                let kernel = try await Lab.with { lab in try await measure(lab, row, paths: off) }
                return (own: own.rate, kernel: kernel.rate)
            }
            print("measured: \(row.testDescription): \(rates.own) Mbit/s, without the guard \(rates.kernel)")
            #expect(rates.own >= 0.95 * max(rates.kernel, row.single))
        }

        @Test func twoEqualLinksAddUpAndNeitherIsLeft() async throws {
            try await Lab.with { lab in
                let row = GuardRow(
                    name: "50/20 + 50/20", second: LinkProfile(rate: .mbit(50), delay: .milliseconds(10)))
                let outcome = try await measure(lab, row)
                print("measured: two equal links: \(outcome.rate) Mbit/s")
                #expect(outcome.rate > 60)
                #expect(outcome.braid.records("link-backup").isEmpty)
            }
        }

        @Test func withoutTheGuardNothingIsLeft() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(
                    in: lab, lte: LinkProfile(rate: .mbit(0.5), delay: .milliseconds(300)))
                _ = try await paths.startFar()
                let server = try Traffic(in: paths.far)
                try await server.serve("127.0.0.1", port: 9000)
                let off = PathsLab.managed.replacing("manage = true", with: "manage = true\nguard = false")
                let braid = try await paths.startNear(paths: off)
                let client = try Traffic(in: paths.near)
                try await client.down("127.0.0.1", port: 8080)
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                try await Task.sleep(for: .seconds(4))
                #expect(braid.records("link-backup").isEmpty)
            }
        }
    }
}
