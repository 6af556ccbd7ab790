import LinuxSystem
import Paths
import Testing

@Suite struct LinkGuardTests {
    /// Two links that add up once the second's buffers have grown.
    private func addingUp(_ first: Double, _ second: Double, _ roundTrips: [Int: Double], ramp: Double) -> EmulatedPaths
    {
        EmulatedPaths(usable: [1, 2], roundTrips: roundTrips) { active, age in
            if active == [2] { return .init(whole: second, links: [2: second]) }
            if active == [1] || age < 0.5 { return .init(whole: first, links: [1: first]) }
            if age < 0.5 + ramp { return .init(whole: first * 0.5, links: [1: first * 0.4, 2: second * 0.3]) }
            return .init(whole: first + second, links: [1: first, 2: second])
        }
    }

    /// A second link that ruins the whole.
    private func ruined(_ mixed: Double, second: Double, roundTrips: [Int: Double]) -> EmulatedPaths {
        EmulatedPaths(usable: [1, 2], roundTrips: roundTrips) { active, age in
            if active == [2] { return .init(whole: second, links: [2: second]) }
            if active == [1] || age < 0.5 { return .init(whole: 47, links: [1: 47]) }
            return .init(whole: mixed, links: [1: mixed - second / 2, 2: second / 2])
        }
    }

    @Test(arguments: [
        (47.0, 47.0, 10.0, 10.0, 0.3), (47, 9.5, 10, 10, 0.3), (47, 47, 10, 100, 0.7), (47, 47, 20, 200, 1.5),
        (19, 19, 20, 200, 1.5), (47, 9.5, 20, 200, 1.5),
    ])
    func linksThatAddUpAreLeftAlone(first: Double, second: Double, near: Double, far: Double, ramp: Double) {
        var paths = addingUp(first, second, [1: near, 2: far], ramp: ramp)
        paths.run(seconds: 120)
        #expect(paths.decisions.isEmpty, "\(paths.decisions)")
    }

    @Test(arguments: [
        (4.2, 0.5, 600.0), (15, 2, 300), (30, 2, 60), (24, 19, 60), (9, 9.5, 200), (20, 5, 480), (30, 9.5, 480),
    ])
    func aLinkThatRuinsTheWholeIsLeft(mixed: Double, second: Double, roundTrip: Double) throws {
        var paths = ruined(mixed, second: second, roundTrips: [1: 20, 2: roundTrip])
        paths.run(seconds: 5)
        #expect(paths.active == [1], "\(paths.decisions)")
        let first = try #require(paths.decisions.first)
        #expect(first.decision.link == 2 && first.seconds < 4, "\(first)")
        paths.run(seconds: 0.5)
        guard case .slower(let with, let without) = try #require(paths.guarding.reason(of: 2)) else {
            Issue.record("\(paths.decisions)")
            return
        }
        #expect(with < without)
    }

    @Test func whatWaitsLongAndAFullWindowMakeLinksUnequal() throws {
        // Round trips are alike, and the rates near enough.
        let alike = ruined(30, second: 30, roundTrips: [1: 20, 2: 25])
        var paths = alike
        paths.run(seconds: 30)
        #expect(paths.decisions.isEmpty, "\(paths.decisions)")
        paths = alike
        paths.delay = [1: 0.1, 2: 2]
        paths.run(seconds: 5)
        #expect(paths.active == [1], "\(paths.decisions)")
        guard case .waiting = try #require(paths.decisions.first).decision.reason else {
            Issue.record("\(paths.decisions)")
            return
        }
        paths = alike
        paths.windowLimited = [2: 0.9]
        paths.run(seconds: 5)
        #expect(paths.active == [1], "\(paths.decisions)")
        guard case .window = try #require(paths.decisions.first).decision.reason else {
            Issue.record("\(paths.decisions)")
            return
        }
    }

    @Test func triedAgainLessAndLessOften() throws {
        var paths = ruined(4, second: 0.5, roundTrips: [1: 20, 2: 600])
        paths.run(seconds: 600)
        let tries = paths.decisions.filter { $0.decision.reason == nil }.map(\.seconds)
        try #require(tries.count >= 3, "\(tries)")
        #expect(tries[0] > 20 && tries[1] - tries[0] > 35 && tries[2] - tries[1] > 70, "\(tries)")
        #expect(tries.count <= 6)
        // Trying costs little.
        #expect(paths.carried > 0.95 * 47 * 600, "\(paths.carried)")
        #expect(paths.active == [1])
    }

    @Test func aLinkThatBecameGoodIsUsedAgain() throws {
        var paths = ruined(4, second: 0.5, roundTrips: [1: 20, 2: 300])
        paths.run(seconds: 10)
        #expect(paths.active == [1])
        paths.behaviour = { active, _ in
            active == [1] ? .init(whole: 47, links: [1: 47]) : .init(whole: 90, links: [1: 47, 2: 43])
        }
        paths.run(seconds: 60)
        #expect(paths.active == [1, 2], "\(paths.decisions)")
        let count = paths.decisions.count
        paths.run(seconds: 600)
        #expect(paths.decisions.count == count)
    }

    /// As 50 Mbit/s at 20 ms and 10 at 200 ms were measured: a segment lost on the slower link holds up the whole.
    @Test func aLossThatHoldsTheWholeUpForASecondIsNoReason() {
        var paths = EmulatedPaths(usable: [1, 2], roundTrips: [1: 20, 2: 200]) { active, age in
            if active == [1] || age < 0.5 { return .init(whole: 47, links: [1: 47]) }
            let dips = age.truncatingRemainder(dividingBy: 8)
            if dips >= 6, dips < 7.2 { return .init(whole: 43, links: [1: 36, 2: 7]) }
            return .init(whole: 56, links: [1: 47, 2: 9])
        }
        paths.run(seconds: 120)
        #expect(paths.decisions.isEmpty, "\(paths.decisions)")
    }

    @Test(arguments: [4.0, 20, 40])
    func aLinkThatRuinsTheWholeLaterIsLeftToo(mixed: Double) throws {
        var paths = EmulatedPaths(usable: [1, 2], roundTrips: [1: 20, 2: 200]) { active, age in
            if active == [1] || age < 0.5 { return .init(whole: 47, links: [1: 47]) }
            if age < 30 { return .init(whole: 56, links: [1: 47, 2: 9]) }
            return .init(whole: mixed, links: [1: mixed - 3, 2: 3])
        }
        paths.run(seconds: 29.9)
        #expect(paths.decisions.isEmpty, "\(paths.decisions)")
        paths.run(seconds: 6)
        #expect(paths.active == [1], "\(paths.decisions)")
    }

    @Test func whoeverDialledFirst() {
        // The bad link carried first: the good one was never seen alone.
        var paths = EmulatedPaths(usable: [1, 2], roundTrips: [1: 20, 2: 200]) { active, age in
            if active == [1] { return .init(whole: 47, links: [1: 47]) }
            if age < 0.5 { return .init(whole: 2, links: [2: 2]) }
            return .init(whole: 8, links: [1: 6, 2: 2])
        }
        paths.run(seconds: 5)
        #expect(paths.active == [1], "\(paths.decisions)")
    }

    @Test func lossCountsWhereItSlowsDown() {
        var paths = ruined(24, second: 10, roundTrips: [1: 20, 2: 25])
        paths.loss = [2: 0.1]
        paths.run(seconds: 1.9)
        #expect(paths.active == [1], "\(paths.decisions)")
        // BBR carries more with it than without.
        paths = addingUp(47, 14, [1: 20, 2: 60], ramp: 0.5)
        paths.loss = [2: 0.1]
        paths.lossSlowsDown = false
        paths.run(seconds: 60)
        #expect(paths.decisions.isEmpty, "\(paths.decisions)")
    }

    @Test func aSteadyTrickleIsNotHeldForHarm() {
        // An application that sends 5 Mbit/s, after a burst: the whole is no faster without the second link.
        var seconds = 0
        var paths = EmulatedPaths(usable: [1, 2], roundTrips: [1: 20, 2: 200]) { active, age in
            if age < 1, seconds == 0 { return .init(whole: 47, links: [1: 47]) }
            return .init(whole: 5, links: active == [1] ? [1: 5] : [1: 4, 2: 1])
        }
        paths.run(seconds: 2)
        seconds = 2
        paths.run(seconds: 600)
        #expect(paths.active == [1, 2], "\(paths.decisions)")
        #expect(paths.decisions.count <= 40, "\(paths.decisions.count)")
        #expect(!paths.decisions.contains { if case .slower = $0.decision.reason { true } else { false } })
    }

    @Test func theLastLinkIsNeverLeft() {
        var paths = ruined(4, second: 0.5, roundTrips: [1: 20, 2: 600])
        paths.run(seconds: 6)
        #expect(paths.active == [1])
        // The good link fails: what was left is used at once.
        paths.usable = [2]
        paths.decide()
        #expect(paths.active == [2], "\(paths.decisions)")
        paths.run(seconds: 60)
        #expect(paths.active == [2])
    }

    @Test func anEndedTransferTeachesNothing() throws {
        var paths = ruined(15, second: 2, roundTrips: [1: 20, 2: 300])
        while paths.decisions.isEmpty, paths.now.nanoseconds < 1_010_000_000_000 { paths.run(seconds: 0.1) }
        #expect(paths.active == [1])
        paths.end()
        paths.now = paths.guarding.deadline == .never ? paths.now : paths.guarding.deadline
        paths.decide()
        #expect(paths.active == [1, 2], "\(paths.decisions)")
        #expect(paths.guarding.deadline == .never)
    }

    @Test func silenceInATrialIsNoHarm() throws {
        var paths = ruined(15, second: 2, roundTrips: [1: 20, 2: 300])
        paths.run(seconds: 5)
        #expect(paths.active == [1])
        while paths.active == [1], paths.now.nanoseconds < 1_060_000_000_000 { paths.run(seconds: 0.1) }
        // It is tried again, and then the application has nothing to send for a while.
        try #require(paths.active == [1, 2])
        paths.now = paths.guarding.deadline
        paths.decide()
        #expect(paths.active == [1, 2], "\(paths.decisions)")
        #expect(paths.guarding.deadline == .never)
    }

    @Test func reasonsAreForPeople() {
        #expect(
            GuardReason.slower(with: 1_875_000, without: 5_875_000).description
                == "slower with it: 15.0 Mbit/s, 47.0 without")
        #expect(
            GuardReason.roundTrip(0.6, best: 0.02).description
                == "its round trip is 600.0 ms, the best link's 20.0 ms")
        #expect(GuardReason.loss(0.1).description == "it loses 10.0 % of what is sent")
        #expect(GuardReason.trial(with: .infinity).description.contains("Mbit/s"))
    }
}
