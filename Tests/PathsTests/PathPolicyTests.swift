import LinuxSystem
import Paths
import Testing

@Suite struct PathPolicyTests {
    private static let second: UInt64 = 1_000_000_000
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    // MARK: Thresholds

    @Test func aRoundTripAboveTheLimitHasToLast() {
        var threshold = LinkThreshold(LinkRules(maxRoundTrip: 100_000))
        func take(_ milliseconds: UInt64, at seconds: UInt64) {
            threshold.take(
                roundTrip: milliseconds * 1000, segments: 10, retransmits: 0, now: Self.start + seconds * Self.second)
        }
        take(150, at: 0)
        take(90, at: 1)
        take(150, at: 2)
        take(150, at: 3)
        #expect(threshold.reason == nil)
        take(150, at: 4)
        #expect(threshold.reason == .roundTrip(150_000, limit: 100_000))
        // Just below the limit is not well below it.
        for seconds in UInt64(5)..<12 { take(90, at: seconds) }
        #expect(threshold.reason != nil)
        take(70, at: 12)
        take(70, at: 13)
        #expect(threshold.reason != nil)
        take(70, at: 14)
        #expect(threshold.reason == nil)
    }

    @Test func aLinkThatShowsNothingIsTriedAgainLessAndLessOften() {
        var threshold = LinkThreshold(LinkRules(maxLoss: 0.05))
        var now = Self.start
        var waits: [UInt64] = []
        for _ in 0..<7 {
            while threshold.reason == nil {
                now = now + Self.second
                threshold.take(roundTrip: nil, segments: 200, retransmits: 20, now: now)
            }
            let left = now
            #expect(threshold.deadline != .never)
            now = threshold.deadline
            threshold.look(now)
            #expect(threshold.reason == nil)
            #expect(threshold.deadline == .never)
            waits.append(now.since(left) / Self.second)
        }
        #expect(waits == [30, 60, 120, 240, 480, 600, 600])
    }

    @Test func withoutRulesNothingIsExceeded() {
        var threshold = LinkThreshold(LinkRules())
        for seconds in UInt64(0)..<20 {
            threshold.take(
                roundTrip: .max, segments: 1000, retransmits: 1000, now: Self.start + seconds * Self.second)
        }
        #expect(threshold.reason == nil)
    }

    // MARK: Preference

    @Test func handoverTakesTheFirst() {
        var preference = LinkPreference()
        let both = [LinkPreference.Candidate(id: 1, roundTrip: 90_000), .init(id: 2, roundTrip: 10_000)]
        let choices = [both, [both[1]], both, []].map { preference.choose(.handover, $0, now: Self.start) }
        #expect(choices == [1, 2, 1, nil])
        let none = preference.choose(.aggregate, both, now: Self.start)
        #expect(none == nil)
    }

    @Test func interactiveMovesOnDelayAndOnFailure() {
        var preference = LinkPreference()
        func choose(_ first: UInt64?, _ second: UInt64, at seconds: UInt64) -> Int? {
            let links = [first.map { LinkPreference.Candidate(id: 1, roundTrip: $0) }, .init(id: 2, roundTrip: second)]
            return preference.choose(.interactive, links.compactMap { $0 }, now: Self.start + seconds * Self.second)
        }
        #expect(choose(20_000, 40_000, at: 0) == 1)
        #expect(choose(35_000, 30_000, at: 10) == 1)
        #expect(choose(90_000, 40_000, at: 11) == 1)
        #expect(preference.deadline == Self.start + 12 * Self.second)
        #expect(choose(20_000, 40_000, at: 12) == 1)
        #expect(choose(90_000, 40_000, at: 13) == 1)
        #expect(choose(90_000, 40_000, at: 14) == 2)
        // It rests for a while, then it may move back.
        #expect(choose(10_000, 40_000, at: 15) == 2)
        #expect(choose(10_000, 40_000, at: 17) == 2)
        #expect(choose(10_000, 40_000, at: 19) == 1)
        #expect(choose(nil, 500_000, at: 20) == 2)
    }

    @Test func anotherModeWaitsForNothing() {
        for mode in [PathMode.aggregate, .handover] {
            var preference = LinkPreference()
            for (seconds, first) in [(UInt64(0), UInt64(20_000)), (10, 90_000)] {
                _ = preference.choose(
                    .interactive, [.init(id: 1, roundTrip: first), .init(id: 2, roundTrip: 40_000)],
                    now: Self.start + seconds * Self.second)
            }
            #expect(preference.deadline < .never)
            _ = preference.choose(mode, [.init(id: 1, roundTrip: 90_000)], now: Self.start + 11 * Self.second)
            #expect(preference.deadline == .never)
        }
    }

    // MARK: Usage

    @Test func whatWasKeptComesToWhatWasCounted() {
        let month = UsageBook.Month(seconds: 1_795_392_000)
        var policy = PathPolicy(usage: UsageBook(month: month))
        func reading(_ bytes: UInt64, limit: UInt64 = 0) -> PathPolicy.Reading {
            .init(id: 1, name: "lte", rules: LinkRules(monthlyLimit: limit), isPrimary: true, bytes: bytes)
        }
        _ = policy.judge([reading(100)], now: Self.start, seconds: 1_795_392_000)
        var kept = UsageBook(month: month)
        kept.add(1000, to: "lte", in: month)
        kept.add(7, to: "wifi", in: month)
        policy.takeUp(kept)
        let verdicts = policy.judge([reading(150, limit: 1150)], now: Self.start, seconds: 1_795_392_000)
        #expect(policy.usage.used("lte") == 1150 && policy.usage.used("wifi") == 7)
        #expect(verdicts[0].backup != nil, "it is at its limit")
        // A book of an earlier month has nothing to say.
        var old = UsageBook(month: .init(year: 2026, month: 10))
        old.add(1 << 40, to: "lte", in: old.month)
        policy.takeUp(old)
        #expect(policy.usage.used("lte") == 1150 && policy.usage.month == month)
    }

    @Test func rulesThatAreGoneLeaveNothing() {
        var policy = PathPolicy(usage: UsageBook(month: .init(year: 2026, month: 11)))
        func judge(_ rules: LinkRules, at seconds: UInt64) -> PathPolicy.Verdict? {
            policy.judge(
                [
                    .init(
                        id: 1, name: "lte", rules: rules, isPrimary: true, bytes: seconds, segments: seconds,
                        roundTrip: 90_000)
                ], now: Self.start + seconds * Self.second, seconds: 1_795_392_000
            ).first
        }
        for seconds in UInt64(1)..<6 { _ = judge(LinkRules(maxRoundTrip: 10_000), at: seconds) }
        #expect(judge(LinkRules(maxRoundTrip: 10_000), at: 6)?.backup != nil)
        #expect(policy.deadline < .never)
        #expect(judge(LinkRules(), at: 7)?.backup == nil)
        #expect(policy.deadline == .never)
    }

    @Test(arguments: [
        (Int64(0), 1970, 1), (2_678_399, 1970, 1), (2_678_400, 1970, 2), (951_782_399, 2000, 2), (951_868_800, 2000, 3),
        (1_795_392_000, 2026, 11), (1_796_083_199, 2026, 11), (1_796_083_200, 2026, 12), (1_798_761_600, 2027, 1),
        (4_107_542_400, 2100, 3),
    ])
    func monthsOfMoments(seconds: Int64, year: Int, month: Int) {
        #expect(UsageBook.Month(seconds: seconds) == UsageBook.Month(year: year, month: month))
    }

    @Test func monthsBeginWhereTheyBegin() {
        var month = UsageBook.Month(year: 1970, month: 1)
        while month < UsageBook.Month(year: 2105, month: 1) {
            #expect(UsageBook.Month(seconds: month.begin) == month)
            #expect(UsageBook.Month(seconds: month.next.begin - 1) == month)
            month = month.next
        }
    }

    @Test func aBookIsReadAsItWasWritten() throws {
        var book = UsageBook(month: .init(year: 2026, month: 11))
        book.add(12, to: "lte", in: book.month)
        book.add(.max, to: "my link", in: book.month)
        book.add(0, to: "unused", in: book.month)
        #expect(book.text == "braid usage 1\n2026-11\n12 lte\n\(UInt64.max) my link\n")
        #expect(try #require(UsageBook(text: book.text)) == book)
        #expect(UsageBook(text: "braid usage 1\n2026-11\n")?.used("lte") == 0)
        for text in [
            "", "braid usage 2\n2026-11\n", "braid usage 1\n", "braid usage 1\n2026-13\n",
            "braid usage 1\n2026-11\nlte\n",
            "braid usage 1\n2026-11\n-1 lte\n", "braid usage 1\n2026-11\n1 \n",
            "braid usage 1\n2026-11\n99999999999999999999 a\n",
        ] { #expect(UsageBook(text: text) == nil, "\(text)") }
    }

    /// Characters join bytes that are apart in the file: CR and LF, and a space and an accent with which a name begins.
    @Test func aBookIsReadByBytes() throws {
        let windows = UsageBook(text: "braid usage 1\r\n2026-11\r\n5 lte\r\n6 wifi\r\n")
        #expect(windows?.text == "braid usage 1\n2026-11\n5 lte\n6 wifi\n")
        var book = UsageBook(month: .init(year: 2026, month: 11))
        book.add(7, to: "\u{301}wan", in: book.month)
        #expect(UsageBook(text: book.text) == book)
    }

    @Test func anyPartOfABookIsReadOrRefused() {
        var book = UsageBook(month: .init(year: 2026, month: 11))
        book.add(123_456, to: "lte", in: book.month)
        let bytes = Array(book.text.utf8)
        for count in 0..<bytes.count {
            let part = UsageBook(text: String(decoding: bytes[..<count], as: UTF8.self))
            #expect((part?.used("lte") ?? 0) <= 123_456)
        }
    }

    @Test func aNewMonthBeginsAtZeroAndAnEarlierOneChangesNothing() {
        var book = UsageBook(month: .init(year: 2026, month: 11))
        book.add(5, to: "a", in: .init(year: 2026, month: 11))
        book.add(2, to: "a", in: .init(year: 2026, month: 10))
        #expect(book.used("a") == 7)
        book.add(3, to: "a", in: .init(year: 2026, month: 12))
        #expect(book.used("a") == 3 && book.month == .init(year: 2026, month: 12))
    }

    // MARK: All of it

    private func reading(
        _ id: Int, _ rules: LinkRules = LinkRules(), isPrimary: Bool = true, bytes: UInt64 = 0, roundTrip: UInt64 = 0
    ) -> PathPolicy.Reading {
        PathPolicy.Reading(
            id: id, name: "link\(id)", rules: rules, isPrimary: isPrimary, bytes: bytes, roundTrip: roundTrip)
    }

    @Test(arguments: [LinkRules.OverLimit.backup, .off])
    func aLinkPastItsLimit(over: LinkRules.OverLimit) {
        let rules = LinkRules(monthlyLimit: 1000, overLimit: over)
        let november = UsageBook.Month(year: 2026, month: 11)
        var policy = PathPolicy(usage: UsageBook(month: november))
        func judge(_ bytes: UInt64, _ seconds: Int64) -> PathPolicy.Verdict {
            policy.judge([reading(1, rules, bytes: bytes), reading(2)], now: Self.start, seconds: seconds)[0]
        }
        #expect(judge(600, november.begin) == PathPolicy.Verdict(id: 1))
        #expect(policy.monthEnd == nil)
        #expect(judge(999, november.begin).backup == nil)
        let verdict = judge(1000, november.begin + 5)
        #expect(verdict.isOff == (over == .off) && (verdict.backup != nil) == (over == .backup))
        #expect(policy.monthEnd == november.next.begin)
        #expect(judge(1001, november.next.begin) == PathPolicy.Verdict(id: 1))
        // A restart: what was kept counts, what the loops count begins anew.
        #expect(policy.usage.used("link1") == 1)
        policy = PathPolicy(usage: policy.usage)
        #expect(judge(998, november.next.begin).backup == nil && !judge(998, november.next.begin).isOff)
        #expect(judge(999, november.next.begin) != PathPolicy.Verdict(id: 1))
    }

    @Test func oneLinkAtATime() {
        var policy = PathPolicy(mode: .handover, usage: UsageBook(month: .init(year: 2026, month: 11)))
        func backups(_ first: Bool, _ second: Bool) -> [Bool] {
            policy.judge(
                [reading(1, isPrimary: first), reading(2, isPrimary: second), reading(3)], now: Self.start, seconds: 0
            ).map { $0.backup != nil }
        }
        #expect(backups(true, true) == [false, true, true])
        #expect(backups(false, true) == [false, false, true])
        #expect(backups(false, false) == [false, false, false])
        policy.mode = .aggregate
        #expect(backups(true, true) == [false, false, false])
    }
}
