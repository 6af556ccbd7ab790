import FoundationEssentials
import Lab
import LinuxSystem
import SystemPackage
import Testing

@testable import Forwarding

/// Subflows that die, on emulated links with real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StallTests {
    /// Which end notices.
    enum End: CaseIterable, Sendable {
        case near, far
    }

    private func stall(_ report: LoopReport) -> SubflowStall? {
        guard case .subflowStalled(let stall) = report else { return nil }
        return stall
    }

    private func stalls(_ loop: RunningLoop) -> [String] {
        loop.taken().compactMap { report in
            switch report {
            case .subflowStalled(let stall): "\(stall)"
            case .connectionStalled(let stall): "\(stall)"
            default: nil
            }
        }
    }

    @Test func aBlackholeUnderAnInteractiveConnectionIsFoundAtOnce() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(2), .milliseconds(4)])
            let client = try loops.client()
            try loops.join(client)
            for _ in 0..<300 { try loops.exchange(client) }
            #expect(stalls(loops.near) == [])
            loops.links[0].blackhole(true)
            let start = ContinuousClock.now
            _ = try client.socket.write([1])
            let found = try loops.near.report(stall)
            let took = ContinuousClock.now - start
            #expect(found.local.host == loops.links[0].address(of: loops.nearHost))
            #expect(found.remote.host == loops.links[0].address(of: loops.farHost))
            #expect(found.leg == .upstream)
            #expect(found.id != nil)
            #expect(found.outstanding == 1)
            #expect(found.stuck == 1)
            #expect(took > .milliseconds(100))
            #expect(took < .milliseconds(1_000), "found after \(took)")
            print("a blackhole under one byte was found after \(took)")
            // The kernel sends the byte again over the other link.
            try StreamPair.await_(client.socket.raw, .readable)
        }
    }

    @Test(arguments: End.allCases) func aBlackholeUnderAStreamIsFoundByItsSender(end: End) throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(5), .milliseconds(10)])
            for link in loops.links { link.set(rate: .mbit(20)) }
            let client = try loops.client()
            try loops.join(client)
            // Sent up by the near end, and back by the far end.
            let writer = try Writer(client)
            defer { writer.stop() }
            try writer.wait(until: 2_000_000)
            loops.links[1].blackhole(true)
            let found = try (end == .near ? loops.near : loops.far).report(stall)
            let address = loops.links[1].address(of: end == .near ? loops.nearHost : loops.farHost)
            #expect(found.leg == (end == .near ? .upstream : .client))
            if end == .near { #expect(found.local.host == address) }
            #expect(
                found.remote.host == loops.links[1].address(of: end == .near ? loops.farHost : loops.nearHost)
                    || found.remote.host == loops.links[0].address(of: loops.farHost))
        }
    }

    @Test func whenAllLinksDieTheConnectionIsToldOf() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(2), .milliseconds(2)])
            for link in loops.links { link.set(rate: .mbit(20)) }
            let client = try loops.client()
            try loops.join(client)
            let writer = try Writer(client)
            defer { writer.stop() }
            try writer.wait(until: 1_000_000)
            for link in loops.links { link.blackhole(true) }
            let found = try loops.near.report { report -> ConnectionStall? in
                guard case .connectionStalled(let stall) = report else { return nil }
                return stall
            }
            #expect(found.leg == .upstream)
            #expect(found.subflows == 2)
        }
    }

    @Test func lossByChanceIsNoDeath() throws {
        try Lab.with(seed: 7) { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(2), .milliseconds(4)])
            let quiet = try loops.client()
            let busy = try loops.client()
            try loops.join(quiet)
            for link in loops.links { link.set(loss: 0.02) }
            let writer = try Writer(busy)
            defer { writer.stop() }
            let end = ContinuousClock.now + .seconds(15)
            var exchanges = 0
            while ContinuousClock.now < end {
                try loops.exchange(quiet)
                exchanges += 1
            }
            #expect(stalls(loops.near) == [])
            #expect(stalls(loops.far) == [])
            print("\(exchanges) exchanges and \(writer.received) bytes with 2 % loss")
        }
    }

    @Test func nothingOutstandingNothingLookedAt() throws {
        try Lab.with { lab in
            let loops = try TwoLinkLoops(lab, delays: [.milliseconds(2), .milliseconds(2)], threads: "quiet-loop")
            let client = try loops.client()
            try loops.join(client)
            try loops.exchange(client)
            // The first look at the connection, and the answer's acknowledgement, are behind it after that.
            let deadline = ContinuousClock.now + .seconds(5)
            var before = -1
            var quiet = 0
            while quiet < 2, ContinuousClock.now < deadline {
                let now = Wakeups.of(threadsNamed: "quiet-loop")
                quiet = now == before ? quiet + 1 : 0
                before = now
                var poller = try Poller()
                _ = try poller.wait(milliseconds: 300)
            }
            #expect(quiet == 2, "an idle loop wakes up")
        }
    }
}

/// How often threads of this process went to sleep of their own accord.
enum Wakeups {
    static func of(threadsNamed name: String) -> Int {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        var sum = 0
        for task in tasks {
            let directory = "/proc/self/task/\(task)"
            guard let comm = try? String(contentsOfFile: directory + "/comm", encoding: .utf8), comm == name + "\n",
                let status = try? String(contentsOfFile: directory + "/status", encoding: .utf8)
            else { continue }
            for line in status.split(separator: "\n") where line.hasPrefix("voluntary_ctxt_switches:") {
                sum += line.split(separator: "\t").last.flatMap { Int($0) } ?? 0
            }
        }
        return sum
    }
}
