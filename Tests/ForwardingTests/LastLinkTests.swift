import Lab
import Testing

@testable import Forwarding

/// The last link that is up dies.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LastLinkTests {
    private func stalled(_ report: LoopReport) -> ConnectionStall? {
        guard case .connectionStalled(let stall) = report else { return nil }
        return stall
    }

    /// Connections with one subflow over link 0, while link 1 is up or not.
    private func loops(_ lab: Lab, otherIsUp: Bool) throws -> TwoLinkLoops {
        let loops = try TwoLinkLoops(lab, delays: [.milliseconds(2), .milliseconds(2)])
        try loops.nearHost.removeEndpoints()
        loops.near.shared.send(.probeSilence)
        var candidates = try loops.candidates()
        candidates[1].isUp = otherIsUp
        loops.near.shared.send(.setLinks(candidates))
        return loops
    }

    @Test func aSingleSubflowOverTheLastLinkIsWatched() throws {
        try Lab.with { lab in
            let loops = try loops(lab, otherIsUp: false)
            let client = try loops.client()
            for _ in 0..<300 { try loops.exchange(client) }
            loops.links[0].blackhole(true)
            _ = try client.socket.write([1])
            #expect(try loops.near.report(stalled).subflows == 1)
        }
    }

    @Test func theOtherLinkGoesWhileTheAnswerIsAwaited() throws {
        try Lab.with { lab in
            let loops = try loops(lab, otherIsUp: true)
            let client = try loops.client()
            for _ in 0..<300 { try loops.exchange(client) }
            loops.links[0].blackhole(true)
            _ = try client.socket.write([1])
            // Nothing more moves that would have the loop look.
            var candidates = try loops.candidates()
            candidates[1].isUp = false
            loops.near.shared.send(.setLinks(candidates))
            #expect(try loops.near.report(stalled).subflows == 1)
        }
    }
}
