import Testing

@testable import Forwarding

@Suite struct AdmissionGateTests {
    @Test func itHoldsBackAtTheLimitAndSaysWhenAPlaceIsAwaited() {
        let gate = AdmissionGate(limit: 2)
        #expect(gate.enter())
        #expect(gate.enter())
        #expect(!gate.enter())
        #expect(gate.count == 2)
        #expect(gate.leave(), "somebody was turned away, so the loops must be told")
        #expect(gate.enter())
        #expect(!gate.leave(), "nobody was turned away since")
    }

    @Test func noLimitIsNoLimit() {
        let gate = AdmissionGate(limit: 0)
        for _ in 0..<1_000 { #expect(gate.enter()) }
        #expect(gate.count == 1_000)
    }

    @Test func theOuterGateCountsForAllInnerOnes() {
        let outer = AdmissionGate(limit: 1)
        let a = AdmissionGate(limit: 0, outer: outer)
        let b = AdmissionGate(limit: 0, outer: outer)
        #expect(a.enter())
        #expect(!b.enter())
        #expect(b.count == 0)
        #expect(a.leave())
        #expect(b.enter())
    }
}
