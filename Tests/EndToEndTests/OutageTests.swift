import Lab
import Testing

extension EndToEndSuite {
    /// All links die and come back: connections outlive it, and go on at once.
    @Suite(.serialized) struct OutageTests {
        /// How soon after the first link is back the bytes go on.
        private static let resumed = Duration.milliseconds(500)

        @Test(arguments: [LinkFault.carrier, .silence], [FailoverScene.Work.down, .up])
        func fiveSeconds(_ fault: LinkFault, _ work: FailoverScene.Work) async throws {
            try await goesOn(.seconds(5), fault, work, isCompared: fault == .silence)
        }

        @Test(
            .enabled(if: Soak.isWanted, "set BRAID_SOAK=1"), arguments: [LinkFault.carrier, .silence],
            [FailoverScene.Work.down, .up])
        func thirtySeconds(_ fault: LinkFault, _ work: FailoverScene.Work) async throws {
            try await goesOn(.seconds(30), fault, work, isCompared: true)
        }

        private func goesOn(
            _ outage: Duration, _ fault: LinkFault, _ work: FailoverScene.Work, isCompared: Bool
        ) async throws {
            let took = try await threeAttempts { (took: Duration) in
                took <= Self.resumed
            } _: {
                try await resume(after: outage, fault, work, kernelAlone: false)
            }
            let name = "all links dead for \(outage) (\(fault.rawValue)), \(work.rawValue)"
            print("measured: \(name): goes on \(took) after the first is back")
            #expect(took <= Self.resumed)
            guard isCompared else { return }
            let kernel = try await resume(after: outage, fault, work, kernelAlone: true)
            // A figure only: now and then the kernel's timer, which has doubled each time, happens to run just then.
            print("measured: \(name): kernel alone \(kernel), ratio \(took / kernel)")
        }

        private func resume(
            after outage: Duration, _ fault: LinkFault, _ work: FailoverScene.Work, kernelAlone: Bool
        ) async throws -> Duration {
            try await Lab.with { lab in
                let scene = try await FailoverScene.make(in: lab, kernelAlone: kernelAlone)
                try await scene.begin(work)
                let receiver = scene.receiver(work)
                try await receiver.wait(for: 1_000_000)
                for link in [scene.paths.wifi, scene.paths.lte] { try fault.begin(link, scene.paths) }
                try await Task.sleep(for: outage)
                try await receiver.mark()
                try fault.end(scene.paths.lte, scene.paths)
                // Two round trips' worth, so that a single segment does not count as going on.
                let took = try await receiver.wait(for: 20_000, timeout: .seconds(50))
                if !kernelAlone {
                    try fault.end(scene.paths.wifi, scene.paths)
                    try await scene.bothSubflows()
                }
                #expect(try await receiver.errors() == 0)
                return took
            }
        }
    }
}
