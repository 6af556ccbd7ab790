import Lab
import Testing

extension LabSuite {
    /// Blackholes and cut cables.
    @Suite(.serialized) struct FaultTests {
        private func pair(_ body: (Host, Host, Link) async throws -> Void) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                try await body(near, far, try lab.link(near, far, name: "lte", delay: .milliseconds(1)))
            }
        }

        /// Expects a datagram to get from one host to another, or not to.
        private func expect(
            _ arrives: Bool, _ from: Host, _ to: Host, _ link: Link, location: SourceLocation = #_sourceLocation
        ) throws {
            let receiver = try Datagrams(to, link.address(of: to), port: 9)
            let sender = try Datagrams(from, link.address(of: from), port: 10)
            try sender.send([42], to: link.address(of: to), port: 9)
            let received = receiver.receive(within: .milliseconds(arrives ? 2000 : 100))
            #expect(received == (arrives ? [42] : nil), sourceLocation: location)
        }

        @Test(arguments: LinkDirection.allCases)
        func aBlackholeIsSilentAndHasADirection(direction: LinkDirection) async throws {
            try await pair { near, far, link in
                try expect(true, near, far, link)
                try expect(true, far, near, link)
                link.blackhole(true, direction: direction)
                #expect(link.isBlackhole(direction))
                try expect(direction == .bToA, near, far, link)
                try expect(direction == .aToB, far, near, link)
                #expect(link.counters(direction).blackholed > 0)
                #expect(try link.hasCarrier(at: near))
                link.blackhole(false, direction: direction)
                try expect(true, near, far, link)
                try expect(true, far, near, link)
            }
        }

        @Test func aLongBlackholeRaisesNoError() async throws {
            try await pair { near, far, link in
                link.blackhole(true)
                let sender = try Datagrams(near, link.address(of: near), port: 10)
                // An unresolved neighbour would be "host unreachable" after three probes; ours is known for good.
                for _ in 0..<3 { try sender.send([1], to: link.address(of: far), port: 9) }
                let neighbours = try near.run("ip", "neigh", "show", "dev", "lte").standardOutput
                #expect(neighbours.contains("PERMANENT"))
                #expect(!neighbours.contains("FAILED"))
            }
        }

        @Test func carrierIsLostAtBothEndsAndComesBack() async throws {
            try await pair { near, far, link in
                let monitor = try near.spawn("ip", "-o", "monitor", "link")
                // It prints nothing before the first event; a change of ours shows when it listens.
                let deadline = ContinuousClock.now + .seconds(20)
                while monitor.lines.isEmpty {
                    try #require(ContinuousClock.now < deadline, "ip monitor says nothing")
                    try near.run("ip", "link", "set", "dev", "lo", "alias", "x")
                    try near.run("ip", "link", "set", "dev", "lo", "alias", "y")
                }
                for _ in 0..<2 {
                    try link.carrier(down: true)
                    #expect(link.isCut)
                    #expect(try !link.hasCarrier(at: near))
                    #expect(try !link.hasCarrier(at: far))
                    try expect(false, near, far, link)
                    try link.carrier(down: false)
                    #expect(try link.hasCarrier(at: near))
                    #expect(try link.hasCarrier(at: far))
                    try expect(true, near, far, link)
                    try expect(true, far, near, link)
                }
                try await monitor.line(containing: "NO-CARRIER")
                // Addresses outlive the loss of carrier.
                #expect(try near.ping(link.address6(of: far), count: 3).answers == 3)
            }
        }

        @Test func theHostSeesCarrierGoWithinMilliseconds() async throws {
            try await pair { near, _, link in
                for down in [true, false, true, false] {
                    let start = ContinuousClock.now
                    try link.carrier(down: down)
                    let took = ContinuousClock.now - start
                    // The kernel delays news of carrier by up to a second for interfaces it thinks not urgent.
                    #expect(took < .milliseconds(300), "\(took)")
                    #expect(try link.hasCarrier(at: near) == !down)
                }
            }
        }
    }
}
