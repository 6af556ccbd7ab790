import Probe
import Testing

@Suite("Round-trip statistics")
struct RoundTripStatisticsTests {
    private func summary(_ times: [UInt64]) -> RoundTripStatistics.Summary? {
        var statistics = RoundTripStatistics()
        times.forEach { statistics.add(nanoseconds: $0) }
        return statistics.summary
    }

    @Test("none, one, and the nearest rank of many")
    func ranks() throws {
        #expect(summary([]) == nil)
        let one = try #require(summary([7]))
        #expect([one.minimum, one.mean, one.percentile99, one.maximum] == [7, 7, 7, 7])
        let hundred = try #require(summary((1...100).shuffled().map { UInt64($0) }))
        #expect([hundred.minimum, hundred.mean, hundred.percentile99, hundred.maximum] == [1, 50, 99, 100])
        let thousand = try #require(summary((1...1000).map { UInt64($0) }))
        #expect(thousand.percentile99 == 990)
        let two = try #require(summary([10, 20]))
        #expect(two.percentile99 == 20)
    }
}
