import Glibc
import Lab
import Testing

extension EndToEndSuite {
    /// Links that die, as applications see it: the near and the far end, two links of RTT 20 and 40 ms.
    @Suite(.serialized) struct FailoverTests {
        /// A fault of one of the links.
        struct Case: Sendable, CustomTestStringConvertible {
            let fault: LinkFault
            let link: String

            /// Connections begin on this one.
            var isPrimary: Bool { link == "wifi" }
            /// The kernel alone is measured beside it.
            var isCompared: Bool { isPrimary && (fault == .carrier || fault == .silence) }
            /// The worst round trip of ping-pong.
            var worstRoundTrip: Duration { fault == .carrier ? .milliseconds(100) : .milliseconds(250) }

            var testDescription: String { "\(fault.rawValue) on \(link)" }

            static let all: [Case] = {
                var cases = LinkFault.allCases.map { Case(fault: $0, link: "wifi") }
                let others = Soak.isWanted ? LinkFault.allCases : [.carrier, .silence]
                cases += others.map { Case(fault: $0, link: "lte") }
                return cases
            }()

            /// Of bulk, which takes longer to measure.
            static let bulk: [Case] =
                Soak.isWanted
                ? all
                : [
                    Case(fault: .carrier, link: "wifi"), Case(fault: .silence, link: "wifi"),
                    Case(fault: .silenceUp, link: "wifi"), Case(fault: .silenceDown, link: "lte"),
                ]
        }

        /// What an application saw of a fault.
        struct Interruption: CustomStringConvertible {
            /// The worst round trip, or the longest time without a byte.
            var longest: Duration
            /// How long after its end the link was used again.
            var back: Duration
            /// What the kernel alone makes of the fault.
            var kernel: Duration?

            var description: String {
                let beside = kernel.map { " (kernel alone \($0), ratio \(longest / $0))" } ?? ""
                return "interrupted for \(longest)\(beside), used again after \(back)"
            }
        }

        private static let usedAgain = Duration.seconds(2)
        /// The longest time without a byte.
        private static let longest = Duration.milliseconds(400)

        // MARK: One link dies

        @Test(arguments: Case.all)
        func pingPongGoesOn(_ fault: Case) async throws {
            let seen = try await threeAttempts { (seen: Interruption) in
                seen.longest <= fault.worstRoundTrip && seen.back <= Self.usedAgain
                    && seen.kernel.map { seen.longest < $0 } ?? true
            } _: {
                try await interrupt(.ping, fault)
            }
            print("measured: ping-pong, \(fault.testDescription): \(seen)")
            #expect(seen.longest <= fault.worstRoundTrip)
            #expect(seen.back <= Self.usedAgain)
            if let kernel = seen.kernel { #expect(seen.longest < kernel) }
        }

        @Test(arguments: Case.bulk)
        func downloadGoesOn(_ fault: Case) async throws { try await bulkGoesOn(.down, fault) }

        @Test(arguments: Case.bulk)
        func uploadGoesOn(_ fault: Case) async throws { try await bulkGoesOn(.up, fault) }

        /// What the survivor has queued comes first: its 100 ms, and the little that was given to its subflow beyond. Where
        /// other processes have half of the machine, both Braid and the kernel take longer: then the ratio counts.
        private func bulkGoesOn(_ work: FailoverScene.Work, _ fault: Case) async throws {
            let isShort = { (seen: Interruption) in
                // Quiet, it is 0.1 to 0.35 s and 0.2 to 0.6 of what the kernel takes. `make bench-paths` has the figures.
                let ratio = seen.kernel.map { seen.longest / $0 } ?? 0
                return seen.longest <= .milliseconds(800) && (seen.longest <= Self.longest || ratio <= 0.7)
                    && seen.back <= Self.usedAgain
            }
            let seen = try await threeAttempts(isShort) { try await interrupt(work, fault) }
            print("measured: \(work.rawValue), \(fault.testDescription): \(seen)")
            #expect(isShort(seen), "\(seen)")
        }

        /// The configured keepalive, which is set after five seconds, is not instead of what asks silent subflows.
        @Test func anOldConnectionUsesALinkAgain() async throws {
            try await Lab.with { lab in
                let scene = try await FailoverScene.make(in: lab)
                try await scene.begin(.down)
                // Six seconds at 20 Mbit/s.
                try await scene.client.wait(for: 15_000_000)
                let link = scene.paths.wifi
                link.blackhole(true)
                try await scene.client.wait(for: 3_000_000)
                let before = link.counters(.both).deliveredBytes
                link.blackhole(false)
                try await scene.paths.until("bytes over the link that is back") {
                    link.counters(.both).deliveredBytes > before + 100_000
                }
                #expect(try await scene.client.errors() == 0)
            }
        }

        private func interrupt(_ work: FailoverScene.Work, _ fault: Case) async throws -> Interruption {
            var seen = try await measure(work, fault, kernelAlone: false)
            let isLong = work != .ping && seen.longest > Self.longest
            if fault.isCompared || isLong { seen.kernel = try await measure(work, fault, kernelAlone: true).longest }
            return seen
        }

        private func measure(
            _ work: FailoverScene.Work, _ fault: Case, kernelAlone: Bool
        ) async throws -> Interruption {
            try await Lab.with { lab in
                let scene = try await FailoverScene.make(in: lab, kernelAlone: kernelAlone)
                try await scene.begin(work)
                let receiver = scene.receiver(work)
                // Enough for what is known of the paths to settle: 200 segments, and the end of both slow starts.
                try await receiver.wait(for: work != .ping ? 5_000_000 : fault.fault == .carrier ? 60 : 220)
                try await receiver.mark()
                let link = scene.paths.link(fault.link)
                try fault.fault.begin(link, scene.paths)
                try await receiver.wait(for: work == .ping ? 40 : 1_500_000)
                let sample = try await receiver.sample()
                if kernelAlone { return Interruption(longest: sample.worst, back: .zero) }
                let before = link.counters(.both).deliveredBytes
                try fault.fault.end(link, scene.paths)
                let end = ContinuousClock.now
                try await scene.bothSubflows()
                if work != .ping {
                    try await scene.paths.until("bytes over the link that is back") {
                        link.counters(.both).deliveredBytes > before + 100_000
                    }
                }
                let back = ContinuousClock.now - end
                #expect(try await receiver.errors() == 0)
                return Interruption(longest: sample.worst, back: back)
            }
        }

        // MARK: New connections

        /// 250 ms stagger, a round trip of 40 ms to connect and one to ask, and 50 ms.
        @Test func aDeadPrimaryHoldsUpNobodyLongerThanTheStagger() async throws {
            let longest = Duration.milliseconds(250 + 2 * 40 + 50)
            let took = try await threeAttempts { (took: (first: Duration, second: Duration)) in
                took.first <= longest && took.second <= Duration.milliseconds(150)
            } _: {
                try await Lab.with { lab in
                    let scene = try await FailoverScene.make(in: lab)
                    scene.paths.wifi.blackhole(true)
                    let first = try await scene.client.ping("127.0.0.1", port: 8080)
                    // The next one knows.
                    let next = try Traffic(in: scene.paths.near)
                    let second = try await next.ping("127.0.0.1", port: 8080)
                    scene.paths.wifi.blackhole(false)
                    try await scene.bothSubflows(count: 2)
                    return (first: first, second: second)
                }
            }
            print("measured: first answer of a new connection while the primary is a blackhole: \(took)")
            #expect(took.first <= longest)
            #expect(took.second <= .milliseconds(150))
        }

        // MARK: Many connections

        @Test func fiveHundredConnectionsOutliveTenFlaps() async throws {
            try await Lab.with { lab in
                let scene = try await FailoverScene.make(
                    in: lab, wifi: LinkProfile(rate: .mbit(200), delay: .milliseconds(5)),
                    lte: LinkProfile(rate: .mbit(200), delay: .milliseconds(10)))
                try await scene.client.crowd(500, "127.0.0.1", port: 8080)
                try await scene.bothSubflows(count: 500)
                for flap in 1...10 {
                    try scene.paths.wifi.carrier(down: true)
                    try await scene.near.record { record in
                        record.event == "link-down" && scene.near.records("link-down").count == flap
                    }
                    try scene.paths.wifi.carrier(down: false)
                    try await scene.near.record { record in
                        record.event == "link-up" && scene.near.records("link-up").count == flap + 2
                    }
                }
                let last = ContinuousClock.now
                try await scene.bothSubflows(count: 500)
                print("measured: 500 connections, ten flaps: all have two subflows \(ContinuousClock.now - last) after")
                #expect(ContinuousClock.now - last < .seconds(3))
                #expect(try await scene.client.say() == 500)
                #expect(try scene.paths.endpoints() == ["lte", "lte", "wifi", "wifi"])
                #expect(scene.near.records("connection-ended").isEmpty)
            }
        }

        // MARK: Nothing is done that need not be

        /// For a minute when long tests are wanted.
        @Test func lossByChanceClosesNothing() async throws {
            try await Lab.with { lab in
                let profile = LinkProfile(rate: .mbit(20), delay: .milliseconds(15), loss: 0.02)
                let scene = try await FailoverScene.make(in: lab, wifi: profile, lte: profile)
                try await scene.client.ping("127.0.0.1", port: 8080)
                let download = try Traffic(in: scene.paths.near)
                try await download.down("127.0.0.1", port: 8080)
                let upload = try Traffic(in: scene.paths.near)
                try await upload.up("127.0.0.1", port: 8080)
                try await scene.bothSubflows(count: 3)
                try await Task.sleep(for: .seconds(Soak.isWanted ? 60 : 20))
                for process in [scene.near, scene.far] {
                    #expect(process.records("subflow-left").isEmpty)
                    #expect(process.records("link-down").isEmpty)
                }
                for traffic in [scene.client, download, scene.server] {
                    #expect(try await traffic.errors() == 0)
                    #expect(try await traffic.sample().amount > 100)
                }
            }
        }

        /// For a minute when long tests are wanted. There is no watchdog here, and so nothing to wake anybody: what is
        /// allowed is for the kernel's keepalive, which may end a probe.
        @Test func idleConnectionsWakeNobody() async throws {
            try await Lab.with { lab in
                let scene = try await FailoverScene.make(in: lab)
                try await scene.client.crowd(20, "127.0.0.1", port: 8080)
                try await scene.bothSubflows(count: 20)
                // What was begun ends: audits after the start, keepalive after five seconds.
                try await Task.sleep(for: .seconds(7))
                let ends = [scene.near, scene.far]
                let before = try ends.map { try $0.contextSwitches() }
                let seconds = Soak.isWanted ? 60 : 8
                try await Task.sleep(for: .seconds(seconds))
                let woken = try zip(ends, before).map { try $0.contextSwitches() - $1 }
                print("measured: \(woken) context switches of an idle near and far end in \(seconds) s")
                #expect(woken.allSatisfy { $0 <= 4 })
                #expect(try await scene.client.say() == 20)
            }
        }
    }
}
