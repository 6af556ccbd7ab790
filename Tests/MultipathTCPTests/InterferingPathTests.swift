import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP

/// Middleboxes by nftables, on the loopback of a namespace.
@Suite("A path that interferes")
struct InterferingPathTests {
    private func onPath(_ rule: String) throws {
        try NetworkNamespace.shell("nft add table inet path")
        try NetworkNamespace.shell("nft add chain inet path out '{ type filter hook output priority 0; }'")
        try NetworkNamespace.shell("nft add rule inet path out \(rule)")
    }

    @Test("MPTCP options stripped from the SYN")
    func strippedFromSYN() throws {
        try NetworkNamespace.run {
            try onPath("tcp flags syn reset tcp option mptcp")
            let pair = try ConnectedPair()
            try pair.exchange()
            #expect(pair.client.notMultipathReason == .peerOrPathRefused)
            #expect(pair.server.notMultipathReason == .clientDidNotAsk)
        }
    }

    @Test("MPTCP options stripped once the connection is made")
    func strippedLater() throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair()
            #expect(pair.client.isMultipath)
            try onPath("reset tcp option mptcp")
            try pair.exchange()
            #expect(pair.client.state == .fellBack)
            #expect(pair.client.notMultipathReason == .fellBackLater)
            #expect(try pair.client.subflows().count == 1)
        }
    }

    @Test("SYNs with MPTCP dropped: plain TCP in the end, and from then on at once")
    func droppedSYN() throws {
        try NetworkNamespace.run {
            try onPath("tcp flags syn tcp option mptcp exists drop")
            let first = try ConnectedPair()
            try first.exchange()
            #expect(first.client.notMultipathReason == .synDropped)

            let second = try ConnectedPair(timeout: .milliseconds(800))
            #expect(second.client.notMultipathReason == .blackholeDetected)
        }
    }

    @Test("the rule: a dropped SYN needs two witnesses")
    func rule() {
        let reason = FallbackEvidence.reason(synWithoutMultipath:synDropped:retransmits:)
        #expect(reason(0, 1, 2) == .synDropped)
        #expect(reason(0, 1, 0) == .peerOrPathRefused)
        #expect(reason(1, 0, 0) == .blackholeDetected)
        #expect(reason(1, 1, 0) == .blackholeDetected)
        #expect(reason(0, 0, 3) == .peerOrPathRefused)
    }
}
