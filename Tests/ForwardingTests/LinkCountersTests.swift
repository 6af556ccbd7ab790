import Lab
import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

/// What is counted for each link.
@Suite(.serialized, .timeLimit(.minutes(1))) struct LinkCountersTests {
    private func eventually(_ what: String, _ isSo: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(10)
        var poller = try Poller()
        while try !isSo() {
            guard ContinuousClock.now < deadline else {
                Issue.record("never: \(what)")
                return
            }
            _ = try poller.wait(milliseconds: 10)
        }
    }

    @Test func whatALongConnectionCarriesIsBookedOnceAndItsSubflowsAreCounted() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(1), .milliseconds(2)], watching: false)
            for link in loops.links { link.set(rate: .mbit(40)) }
            let counters = loops.near.shared.counters
            func carry(_ bytes: Int) throws {
                let client = try loops.client()
                try loops.join(client)
                try loops.exchange(client, bytes: bytes)
                try eventually("both subflows are counted") {
                    try loops.exchange(client)
                    return counters.read(link: 10).subflows == 1 && counters.read(link: 11).subflows == 1
                }
            }
            try carry(4_000_000)
            let during = [10, 11].map { counters.read(link: $0) }
            #expect(during.allSatisfy { $0.roundTripMicroseconds > 1_000 && $0.roundTripMicroseconds < 1_000_000 })
            try eventually("the connection has ended") { loops.near.shared.connections == 0 }
            let after = [10, 11].map { counters.read(link: $0) }
            // Retransmissions are in it, and what was sent over both links; twice it would be 8 million.
            let sent = after.reduce(0) { $0 + $1.bytesSent }
            let received = after.reduce(0) { $0 + $1.bytesReceived }
            #expect((4_000_000..<6_000_000).contains(sent), "\(after)")
            #expect((4_000_000..<6_000_000).contains(received), "\(after)")
            #expect(
                after.allSatisfy { $0.subflows == 0 && $0.bytesSent > 100_000 && $0.segmentsSent > 100 }, "\(after)")
        }
    }

    @Test func shortConnectionsAreBookedToo() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(1), .milliseconds(1)], watching: false)
            for _ in 0..<50 {
                let client = try loops.client()
                try loops.exchange(client, bytes: 1_000)
            }
            try eventually("all have ended") {
                loops.near.shared.connections == 0
            }
            let counters = [10, 11].map { loops.near.shared.counters.read(link: $0) }
            #expect(counters.reduce(0) { $0 + $1.bytesSent } >= 50_000, "\(counters)")
            #expect(counters.reduce(0) { $0 + $1.bytesReceived } >= 50_000, "\(counters)")
            #expect(counters.allSatisfy { $0.subflows == 0 })
        }
    }

    @Test func linksThatAreToldLaterTakeOverTheirSubflows() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(1), .milliseconds(1)], watching: false)
            loops.near.shared.send(.setLinks([]))
            let client = try loops.client()
            try loops.join(client)
            let counters = loops.near.shared.counters
            #expect(counters.read(link: 20).subflows == 0)
            var renamed = try loops.candidates()
            renamed[1].id = 20
            loops.near.shared.send(.setLinks(renamed))
            try eventually("the subflow is counted under its new link") {
                try loops.exchange(client)
                return counters.read(link: 20).subflows == 1 && counters.read(link: 11).subflows == 0
            }
        }
    }

    @Test func anIdleConnectionIsCountedWithoutAnotherByte() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(1), .milliseconds(1)], watching: false)
            let client = try loops.client()
            try loops.exchange(client)
            let counters = loops.near.shared.counters
            try eventually("both of its subflows are counted") {
                counters.read(link: 10).subflows == 1 && counters.read(link: 11).subflows == 1
            }
            withExtendedLifetime(client) {}
        }
    }
}
