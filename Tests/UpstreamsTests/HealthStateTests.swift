import LinuxSystem
import Testing

@testable import Upstreams

@Suite struct HealthStateTests {
    private let second: UInt64 = 1_000_000_000
    private let start = MonotonicTime(nanoseconds: 5_000_000_000_000)

    @Test func theFirstResultDecides() {
        var bad = HealthState(rise: 2, fall: 3)
        #expect(bad.isHealthy && !bad.isKnown)
        let fell = bad.note(success: false, now: start)
        #expect(fell && !bad.isHealthy)
        var good = HealthState(rise: 2, fall: 3)
        let changed = good.note(success: true, now: start)
        #expect(!changed && good.isHealthy)
    }

    @Test func itTakesFallAndRiseInARow() {
        var state = HealthState(rise: 2, fall: 3)
        _ = state.note(success: true, now: start)
        let results = [false, false, true, false, false, false, true, false, true, true].map { success in
            state.note(success: success, now: start) ? (success ? "up" : "down") : "-"
        }
        #expect(results == ["-", "-", "-", "-", "-", "down", "-", "-", "-", "up"])
    }

    @Test func whoComesAndGoesHasToStayWellForLonger() {
        var state = HealthState(rise: 2, fall: 1)
        _ = state.note(success: true, now: start)
        var now = start
        var needed: [Int] = []
        for _ in 0..<6 {
            _ = state.note(success: false, now: now)
            needed.append(state.needed)
            for _ in 0..<state.needed { _ = state.note(success: true, now: now) }
            #expect(state.isHealthy)
            now = now + second
        }
        #expect(needed == [2, 4, 8, 16, 16, 16])
        now = now + 60 * second
        _ = state.note(success: false, now: now)
        #expect(state.needed == 2, "it was steady for a minute")
    }
}
