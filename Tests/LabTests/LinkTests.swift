import Lab
import Testing

extension LabSuite {
    /// Links measured from outside, by processes in the hosts.
    @Suite(.serialized) struct LinkTests {
        private func pair(
            _ name: String = "link", rate: Rate = .unlimited, delay: Duration = .zero, loss: Double = 0,
            queue: Int? = nil, _ body: (Host, Host, Link) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let link = try lab.link(near, far, name: name, rate: rate, delay: delay, loss: loss, queue: queue)
                try await body(near, far, link)
                // Whatever else: the emulator itself kept up.
                #expect(link.counters(.both).failed == 0)
            }
        }

        /// The machine may be busy with something else for a while: one of three good measurements shows what the link
        /// is like, for nothing makes a wrong link right.
        private func expectRoundTrip(
            _ host: Host, _ address: String, _ expected: Double, location: SourceLocation = #_sourceLocation
        ) throws {
            var medians: [Double] = []
            for _ in 0..<3 {
                let result = try host.ping(address)
                medians.append(result.median)
                if result.answers == 15, abs(result.median - expected) < 1 { return }
            }
            Issue.record("round trips of \(medians) ms, \(expected) expected", sourceLocation: location)
        }

        private func expectRate(
            _ host: Host, to sink: HostProcess, _ address: String, _ expected: Double, seconds: Double = 1.2,
            location: SourceLocation = #_sourceLocation
        ) async throws {
            // A TCP segment carries 1448 bytes in 1514 of Ethernet.
            let wanted = expected * 1448 / 1514
            var rates: [Double] = []
            for _ in 0..<3 {
                let rate = try await host.send(to: sink, at: address, seconds: seconds).rate
                rates.append(rate)
                if abs(rate - wanted) < 0.05 * wanted { return }
            }
            Issue.record("rates of \(rates) bit/s, \(wanted) expected", sourceLocation: location)
        }

        @Test(arguments: [1, 10, 100])
        func roundTripIsTwiceTheDelayWithinAMillisecond(delay: Int) async throws {
            try await pair(delay: .milliseconds(delay)) { near, far, link in
                try expectRoundTrip(near, link.address(of: far), Double(2 * delay))
            }
        }

        @Test func roundTripOverIPv6() async throws {
            try await pair(rate: .mbit(50), delay: .milliseconds(10)) { near, far, link in
                try expectRoundTrip(near, link.address6(of: far), 20)
            }
        }

        @Test func withoutDelayThereIsHardlyAny() async throws {
            try await pair { near, far, link in
                try expectRoundTrip(far, link.address(of: near), 0)
            }
        }

        @Test(arguments: [(5.0, 10), (50.0, 10), (100.0, 2)])
        func rateIsWithinFivePercent(mbit: Double, delay: Int) async throws {
            try await pair(rate: .mbit(mbit), delay: .milliseconds(delay)) { near, far, link in
                let sink = try await far.sink()
                try await expectRate(near, to: sink, link.address(of: far), mbit * 1e6, seconds: 2)
            }
        }

        @Test func eachDirectionHasItsOwnProfile() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let link = try lab.link(
                    near, far, name: "adsl", aToB: LinkProfile(rate: .mbit(4), delay: .milliseconds(3)),
                    bToA: LinkProfile(rate: .mbit(40), delay: .milliseconds(9)))
                // 98 bytes take 0.2 ms up and nothing to speak of down.
                try expectRoundTrip(near, link.address(of: far), 12.2)
                let up = try await far.sink()
                try await expectRate(near, to: up, link.address(of: far), 4e6)
                let down = try await near.sink()
                try await expectRate(far, to: down, link.address6(of: near), 40e6 * 1428 / 1448)
            }
        }

        @Test func changesHoldAtOnce() async throws {
            try await pair(delay: .milliseconds(2)) { near, far, link in
                try expectRoundTrip(near, link.address(of: far), 4)
                link.set(delay: .milliseconds(15))
                try expectRoundTrip(near, link.address(of: far), 30)
                link.set(delay: .milliseconds(5), direction: .bToA)
                try expectRoundTrip(near, link.address(of: far), 20)
                link.set(rate: .mbit(10), delay: .zero)
                let sink = try await far.sink()
                try await expectRate(near, to: sink, link.address(of: far), 10e6)
                #expect(link.profile(.aToB) == LinkProfile(rate: .mbit(10)))
            }
        }

        @Test func lossIsTheShareAskedFor() async throws {
            try await pair(loss: 0.1) { near, far, link in
                link.set(loss: 0, direction: .bToA)
                let receiver = try Datagrams(far, link.address(of: far), port: 9)
                let sender = try Datagrams(near, link.address(of: near), port: 9)
                var received = 0
                for number in 1...3000 {
                    try sender.send([1, 2, 3], to: link.address(of: far), port: 9)
                    // No more under way than fit into the receiver's buffer: only the link is to lose any.
                    let deadline = ContinuousClock.now + .seconds(10)
                    while number.isMultiple(of: 50) {
                        let counters = link.counters(.aToB)
                        if counters.packets >= number, counters.inFlight == 0 { break }
                        try #require(ContinuousClock.now < deadline, "\(counters) after \(number) packets")
                    }
                    while receiver.receive(within: .zero) != nil { received += 1 }
                }
                while receiver.receive(within: .milliseconds(100)) != nil { received += 1 }
                // 300 expected, standard deviation 16.
                #expect((220...380).contains(3000 - received))
                #expect(link.counters(.aToB).lost >= 3000 - received)
                #expect(link.counters(.bToA).lost == 0)
            }
        }

        @Test func aDeepQueueMakesDelay() async throws {
            // 125,000 bytes at 1 Mbit/s are a second.
            try await pair(rate: .mbit(1), delay: .milliseconds(1), queue: 125_000) { near, far, link in
                let receiver = try Datagrams(far, link.address(of: far), port: 9)
                let sender = try Datagrams(near, link.address(of: near), port: 9)
                let payload = [UInt8](repeating: 0, count: 1458)  // 1500 in Ethernet
                for _ in 0..<100 { try sender.send(payload, to: link.address(of: far), port: 9) }
                while link.counters(.aToB).packets < 100 { try await Task.sleep(for: .milliseconds(1)) }
                let counters = link.counters(.aToB)
                #expect((14...18).contains(counters.overflowed), "83 of 100 fit, and one or two are out already")
                #expect(counters.queuedBytes > 110_000)
                let start = ContinuousClock.now
                var received = 0
                while receiver.receive(within: .milliseconds(500)) != nil { received += 1 }
                let took = ContinuousClock.now - start - .milliseconds(500)
                #expect(received == 100 - counters.overflowed)
                #expect(took > .milliseconds(900) && took < .milliseconds(1300), "\(took)")
            }
        }

        @Test func packetsAreThoseOfAWire() async throws {
            try await pair(delay: .milliseconds(1)) { near, far, link in
                let sink = try await far.sink()
                _ = try await near.send(to: sink, at: link.address(of: far), bytes: 2_000_000)
                let counters = link.counters(.aToB)
                // No more than 1448 bytes of payload in a packet, so no segments that the link never would carry.
                #expect(counters.packets >= 2_000_000 / 1448)
                #expect(counters.bytes / counters.packets <= 1514)
            }
        }

        @Test func aCableIsFastAndNeedsNoEmulator() async throws {
            try await Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let cable = try lab.cable(near, far, name: "eth0")
                let sink = try await far.sink()
                let sent = try await near.send(to: sink, at: cable.address6(of: far), bytes: 50_000_000)
                #expect(sent.bytes == 50_000_000)
            }
        }
    }
}
