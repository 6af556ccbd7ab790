import LinuxSystem
import Paths
import Testing

/// A link that is good for most peers and bad for one.
@Suite struct PeerGuardTests {
    /// What connections to one peer are like, ten samples a second.
    private struct Peer {
        let address: SocketAddress
        /// In Mbit/s with both links, and without the second.
        var with: Double
        var without: Double
        /// Of the second link, in milliseconds; the first has 20.
        var roundTrip: Double
        var loss = 0.0
    }

    private struct World {
        var guards = PeerGuards()
        var now = MonotonicTime(nanoseconds: 1_000_000_000_000)
        var peers: [Peer]
        var decisions: [(seconds: Double, decision: PeerGuards.Decision)] = []
        var elapsed = 0.0

        mutating func run(seconds: Double) {
            for _ in 0..<Int(seconds * 10) {
                now = now + 100_000_000
                elapsed += 0.1
                for peer in peers {
                    // The second subflow joins a little later.
                    let avoids = elapsed < 0.5 || guards.reason(for: peer.address, link: 2) != nil
                    let rate = avoids ? peer.without : peer.with
                    let second = avoids ? 0 : rate / 4
                    guards.take(
                        GuardSample(
                            at: now, span: 100_000_000, connections: 1, delivered: Self.bytes(rate),
                            links: [
                                GuardSample.Link(
                                    id: 1, delivered: Self.bytes(rate - second), segments: 100, roundTrip: 20_000,
                                    lossSlowsDown: true),
                                GuardSample.Link(
                                    id: 2, delivered: Self.bytes(second), segments: avoids ? 0 : 100,
                                    retransmits: avoids ? 0 : UInt64(100 * peer.loss),
                                    roundTrip: avoids ? 0 : UInt32(peer.roundTrip * 1000), lossSlowsDown: true),
                            ]), from: peer.address)
                }
                for decision in guards.decide([1, 2], now: now) {
                    decisions.append((elapsed, decision))
                }
            }
        }

        private static func bytes(_ megabits: Double) -> UInt64 { UInt64(megabits * 1e6 / 8 / 10) }
    }

    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(parsing: text, port: 0) }

    @Test func thePeerThatSuffersKeepsAway() throws {
        let (good, bad) = (try address("192.0.2.1"), try address("192.0.2.2"))
        var world = World(peers: [
            Peer(address: good, with: 40, without: 25, roundTrip: 25),
            Peer(address: bad, with: 8, without: 25, roundTrip: 25, loss: 0.1),
        ])
        world.run(seconds: 10)
        #expect(world.guards.reason(for: bad, link: 2) != nil, "\(world.decisions)")
        #expect(world.guards.reason(for: good, link: 2) == nil)
        #expect(world.guards.avoiding(2).map(\.peer) == [bad])
        #expect(world.guards.avoiding(1).isEmpty)
        // It is tried again, less and less often, and used once it is good.
        world.peers[1].loss = 0
        world.peers[1].with = 40
        world.run(seconds: 60)
        #expect(world.guards.avoiding(2).isEmpty, "\(world.decisions)")
    }

    @Test func aLinkThatIsAsBadForEverybodyIsTheOtherGuardsBusiness() throws {
        var world = World(peers: [
            Peer(address: try address("192.0.2.1"), with: 8, without: 25, roundTrip: 300, loss: 0.1),
            Peer(address: try address("192.0.2.2"), with: 8, without: 25, roundTrip: 300, loss: 0.1),
        ])
        world.run(seconds: 60)
        #expect(world.decisions.isEmpty, "\(world.decisions)")
        // Nor is one peer alone a reason.
        world.peers.removeLast()
        world.run(seconds: 60)
        #expect(world.decisions.isEmpty)
    }

    @Test func aTrialThatShowsNoGainEndsIt() throws {
        var world = World(peers: [
            Peer(address: try address("192.0.2.1"), with: 40, without: 25, roundTrip: 25),
            Peer(address: try address("192.0.2.2"), with: 18, without: 17, roundTrip: 300),
        ])
        world.run(seconds: 12)
        #expect(world.guards.avoiding(2).isEmpty, "\(world.decisions)")
        #expect(world.decisions.count.isMultiple(of: 2))
        world.guards.end(at: world.now)
        #expect(world.guards.decide([1, 2], now: world.now).isEmpty)
        #expect(world.guards.deadline == .never)
    }
}
