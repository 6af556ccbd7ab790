import Foundation
import Testing

@testable import ServiceManager

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"),
        (951_782_399, 999_999_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400, 1_000_000, "2000-02-29T00:00:00.001Z"),
        (1_795_373_701, 123_456_789, "2026-11-22T18:55:01.123Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000Z"),
        (-1, 0, "1969-12-31T23:59:59.000Z"),
    ])
    func `moments are written as RFC 3339 in UTC`(seconds: Int, nanoseconds: Int, text: String) {
        #expect(Timestamp(seconds: seconds, nanoseconds: nanoseconds).description == text)
    }

    @Test func `dates agree with the Gregorian calendar for 400 years`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: -70 * 365, to: 330 * 365, by: 97) {
            let parts = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let date = Timestamp.date(days: day)
            #expect(date.year == parts.year && date.month == parts.month && date.day == parts.day, "day \(day)")
        }
    }
}
