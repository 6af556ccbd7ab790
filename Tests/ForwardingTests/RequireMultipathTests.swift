import Lab
import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

/// `require-multipath` on paths that carry no MPTCP, and what other relays say of them.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RequireMultipathTests {
    private func loops(_ lab: Lab, near: Bool = false, far: Bool = false) throws -> TwoLinkLoops {
        try TwoLinkLoops(
            lab, delays: [.milliseconds(2), .milliseconds(2)], watching: false, requiring: (near, far))
    }

    /// A middlebox before the far host: a rule for what comes over one link, or over all.
    private func box(_ loops: TwoLinkLoops, _ rule: String, link: Int? = nil) throws {
        let place = link.map { "iifname \"link\($0)\" " } ?? ""
        try loops.farHost.run(
            ["nft", "-f", "-"],
            input: """
                table inet box {
                    chain in {
                        type filter hook prerouting priority raw;
                        \(place)\(rule);
                    }
                }
                """)
    }

    /// What a client reads next: how many bytes, or the error.
    private func end(of client: SocketBox) throws -> Errno? {
        try StreamPair.await_(client.socket.raw, .readable)
        do {
            _ = try client.socket.read(100)
            return nil
        } catch {
            return error as? Errno
        }
    }

    @Test func theLinkThatStripsIsLeftAndRemembered() throws {
        try Lab.with { lab in
            let loops = try loops(lab, near: true)
            try box(loops, "reset tcp option 30", link: 0)
            let other = loops.links[1].address(of: loops.nearHost)
            for count in 1...3 {
                let client = try loops.client()
                try loops.exchange(client)
                let connection = try #require(try loops.near.list(request: 1).flatMap { $0 }.last)
                #expect(connection.multipath == .yes)
                #expect(connection.subflows.first?.local.host == other)
                // The dial over the first link was tried once, and never again.
                let counters = loops.far.shared.counters
                #expect(counters.read(relay: 0).accepted == UInt64(count + 1))
            }
        }
    }

    @Test func whereAllLinksStripItTheClientIsReset() throws {
        try Lab.with { lab in
            let loops = try loops(lab, near: true)
            try box(loops, "reset tcp option 30")
            let client = try loops.client()
            #expect(try end(of: client) == .connectionReset)
            let record = try loops.near.record()
            #expect(record.result == .refused)
            #expect(record.multipath == .fallback)
            #expect(record.notMultipathReason == .peerOrPathRefused)
            #expect(record.upstream == 0)
            #expect(record.bytesUp == 0)
            #expect(loops.near.shared.counters.read(relay: 0).refused == 1)
        }
    }

    @Test func otherRelaysGoOnAndSaySo() throws {
        try Lab.with { lab in
            let loops = try loops(lab)
            try box(loops, "reset tcp option 30")
            do {
                let client = try loops.client()
                try loops.exchange(client)
                let connection = try #require(try loops.near.list(request: 1).flatMap { $0 }.last)
                #expect(connection.multipath == .fallback)
                #expect(connection.notMultipathReason == .peerOrPathRefused)
                #expect(connection.subflows.count == 1)
            }
            let near = try loops.near.record()
            #expect(near.result == .closed)
            #expect(near.multipath == .fallback)
            #expect(near.notMultipathReason == .peerOrPathRefused)
            let far = try loops.far.record()
            #expect(far.multipath == .no)
            #expect(far.notMultipathReason == .clientDidNotAsk)
        }
    }

    @Test(arguments: [(true, false), (false, true), (false, false)])
    func aFallbackAfterBytesHaveMovedIsNoticed(near: Bool, far: Bool) throws {
        try Lab.with { lab in
            let loops = try loops(lab, near: near, far: far)
            // Without joins: a connection with two subflows cannot fall back, it loses one.
            try loops.nearHost.removeEndpoints()
            let client = try loops.client()
            // The SYN, its answer and the acknowledgement of that pass: what follows is stripped.
            let deadline = ContinuousClock.now + .seconds(20)
            var request: UInt64 = 1
            while try loops.far.list(request: request).joined().isEmpty {
                try #require(ContinuousClock.now < deadline)
                request += 1
            }
            try box(loops, "tcp flags & syn == 0 reset tcp option 30")
            _ = try client.socket.write([1])
            _ = try? StreamPair.await_(client.socket.raw, .readable)
            _ = try? client.socket.read(10)
            if near || far {
                var record = try (near ? loops.near : loops.far).record()
                if record.result == .connectFailed { record = try loops.near.record() }
                #expect(record.result == .refused)
                #expect(record.multipath == .fallback)
                #expect(record.notMultipathReason != nil)
            } else {
                try loops.exchange(client)
                let connection = try #require(try loops.near.list(request: 1000).flatMap { $0 }.last)
                #expect(connection.multipath == .fallback)
            }
        }
    }

    @Test func aPlainClientOfAListenerIsReset() throws {
        let loop = try RunningLoop(listen: .mptcp, requiresMultipath: true)
        let plain = SocketBox(try loop.connect(.tcp))
        #expect(try end(of: plain) == .connectionReset)
        let record = try loop.record()
        #expect(record.result == .refused)
        #expect(record.notMultipathReason == .clientDidNotAsk)
        let multipath = try loop.connect(.mptcp)
        _ = try multipath.write([1])
        try StreamPair.await_(multipath.raw, .readable)
        #expect(try multipath.read(10) == [1])
    }
}
