import Lab
import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

/// What a loop tells of subflows that come and go, and what it does not.
@Suite(.serialized, .timeLimit(.minutes(1))) struct SubflowObserverTests {
    /// Calls `act` again and again until so many changes were told, at most ten seconds.
    private func changes(_ loops: TwoLinkLoops, _ count: Int, _ act: () throws -> Void) throws -> [SubflowChange] {
        let deadline = ContinuousClock.now + .seconds(10)
        var poller = try Poller()
        var changes: [SubflowChange] = []
        while changes.count < count, ContinuousClock.now < deadline {
            try act()
            _ = try poller.wait(milliseconds: 10)
            changes += told(loops)
        }
        return changes
    }

    private func told(_ loops: TwoLinkLoops) -> [SubflowChange] {
        loops.near.taken().compactMap { if case .subflowChanged(let change) = $0 { change } else { nil } }
    }

    @Test func changesAreToldOnceAndOnlyWhileSomebodyListens() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(1), .milliseconds(2)], watching: false)
            let second = loops.links[1].address(of: loops.nearHost)
            // Nobody listens.
            let old = try loops.client()
            let deadline = ContinuousClock.now + .seconds(10)
            while loops.near.shared.counters.read(link: 11).subflows == 0, ContinuousClock.now < deadline {
                try loops.exchange(old)
            }
            #expect(loops.near.shared.counters.read(link: 11).subflows == 1)
            #expect(told(loops) == [])
            // What was there before is not new; what a new connection gets besides its first subflow is.
            loops.near.shared.send(.observeSubflows(true))
            let fresh = try loops.client()
            let opened = try changes(loops, 1) { try loops.exchange(fresh) }
            let ids = try loops.near.list(request: 5).flatMap { $0 }.map(\.id).sorted()
            #expect(opened.count == 1 && opened.allSatisfy { $0.isOpened && $0.leg == .upstream }, "\(opened)")
            #expect(opened.first?.connection == ids.last && opened.first?.local.unmapped.host == second, "\(opened)")
            // Nothing is sent: looks that are asked for find what both have lost.
            let endpoints = try loops.nearHost.run("ip", "mptcp", "endpoint", "show").standardOutput
            let words = try #require(endpoints.split(separator: "\n").first { $0.hasPrefix(second + " ") })
                .split(separator: " ").map(String.init)
            let number = try #require(words.firstIndex(of: "id").map { words[$0 + 1] })
            try loops.nearHost.run("ip", "mptcp", "endpoint", "delete", "id", number)
            let lost = try changes(loops, 2) { loops.near.shared.send(.lookAtSubflows(nil)) }
            #expect(lost.allSatisfy { !$0.isOpened && $0.local.unmapped.host == second }, "\(lost)")
            #expect(lost.map(\.connection).sorted() == ids)
            // The end of a connection is its record's affair.
            loops.near.shared.send(.close(connection: ids[0]))
            let deadlineOfEnd = ContinuousClock.now + .seconds(10)
            while loops.near.shared.connections > 1, ContinuousClock.now < deadlineOfEnd { try loops.exchange(fresh) }
            #expect(loops.near.shared.connections == 1)
            loops.near.shared.send(.lookAtSubflows(nil))
            try loops.exchange(fresh)
            #expect(told(loops) == [])
            withExtendedLifetime((old, fresh)) {}
        }
    }
}
