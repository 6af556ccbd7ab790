public import LinuxSystem

/// Decides which links are better left to carry nothing but what the others cannot: a link whose use makes connections slower
/// than the others are without it becomes backup, and is tried again, less and less often.
///
/// It decides by trying. Where links are unequal and the whole is no faster than the best of them was seen to be alone, the
/// worst is left, and the whole measured again: what is faster stays. Links that are far out are left at once. Where links
/// add up, nothing is tried, and it costs nothing.
///
/// Pure: it is told what was measured and what the time is, and answers what is to be done.
public struct LinkGuard: Sendable {
    private enum Phase: Sendable {
        case watching
        /// The link is backup since then, to see how the whole does without it.
        case without(link: Int, since: MonotonicTime, before: Double)
        /// The link is primary again since then, to see whether it is of use now.
        case with(link: Int, since: MonotonicTime, before: Double)
    }

    /// What is known of a link beside its figures.
    private struct Record: Sendable {
        var figures = LinkFigures()
        /// Why it is backup now.
        var reason: GuardReason?
        /// When to try anew: the demotion while it is backup, the suspicion while it is not.
        var retry = MonotonicTime(nanoseconds: 0)
        var backoff = GuardTuning.firstBackoff
        /// It was given a second chance.
        var hadSecondChance = false
        /// When plain harm is reason enough to suspect it, before `retry`.
        var early = MonotonicTime(nanoseconds: 0)
        /// Since when it carries data, in this use.
        var used = MonotonicTime.never
    }

    private var phase = Phase.watching
    private var records: [Int: Record] = [:]
    private var whole = RateHistory()
    private var connections = 0
    private var lastSample = MonotonicTime(nanoseconds: 0)
    /// Since when the links in use are the ones that they are.
    private var steadySince = MonotonicTime(nanoseconds: 0)
    private var usable: Set<Int> = []

    private let givesSecondChances: Bool

    /// A guard that knows nothing yet.
    ///
    /// - Parameter givesSecondChances: Whether a link that could add much is tried again soon after it was found to harm.
    public init(givesSecondChances: Bool = true) {
        self.givesSecondChances = givesSecondChances
    }

    /// Why a link is backup; `nil` when the guard has nothing against it.
    public func reason(of link: Int) -> GuardReason? { records[link]?.reason }

    /// When `decide` is to be called although nothing was measured; `never` when there is nothing to wait for.
    public var deadline: MonotonicTime {
        switch phase {
        case .watching: .never
        case .without(_, let since, _), .with(_, let since, _): since + GuardTuning.longestTrial
        }
    }

    /// Nothing is tried, and nothing held against any link.
    var isIdle: Bool {
        guard case .watching = phase else { return false }
        return !records.values.contains { $0.reason != nil }
    }

    /// How a link compares with the quickest one seen: its least round trip, divided by that one's, and what it loses; `nil`
    /// while that is not known.
    func standing(of link: Int) -> (stretch: Double, loss: Double)? {
        let quickest = records.values.map(\.figures.leastRoundTrip).filter { $0 > 0 }.min()
        guard let figures = records[link]?.figures, figures.leastRoundTrip > 0, let quickest else { return nil }
        return (figures.leastRoundTrip / quickest, figures.loss)
    }

    /// Takes what was measured.
    public mutating func take(_ sample: GuardSample) {
        connections = sample.connections
        guard sample.connections > 0 else { return }
        if sample.at.since(lastSample) > GuardTuning.pause {
            whole.clear()
            for id in records.keys {
                records[id]?.figures.delivered.clear()
                records[id]?.used = .never
            }
            steadySince = sample.at
        }
        lastSample = max(lastSample, sample.at)
        whole.add(sample.delivered, at: sample.at, span: sample.span)
        for link in sample.links {
            records[link.id, default: Record()].figures.take(link, at: sample.at, span: sample.span)
            if link.delivered > 0, records[link.id]?.used == .never { records[link.id]?.used = sample.at }
        }
    }

    /// Decides what is to change now.
    ///
    /// - Parameters:
    ///   - links: the numbers of the links that may carry data now: up, and backup for no other reason than the guard's.
    ///   - suspects: the links that may be suspected; `nil`: all.
    ///   - now: the time.
    /// - Returns: the changes, in order.
    public mutating func decide(
        _ links: [Int], suspects: Set<Int>? = nil, now: MonotonicTime
    ) -> [GuardDecision] {
        if Set(links) != usable { change(to: Set(links), now) }
        let active = links.filter { records[$0]?.reason == nil }
        // Nothing to spare: the last link is never left, and what was left comes back.
        if active.isEmpty, let link = links.first { return [promote(link, "no other link can be used", now)] }
        switch phase {
        case .without(let link, let since, let before): return judgeWithout(link, since, before, now)
        case .with(let link, let since, let before): return judgeWith(link, since, before, now)
        case .watching:
            guard connections > 0, now.since(lastSample) < GuardTuning.pause else { return [] }
            return suspect(active, suspects, now) ?? retry(links, active, now)
        }
    }

    // MARK: Trying without a link

    private mutating func suspect(
        _ active: [Int], _ suspects: Set<Int>?, _ now: MonotonicTime
    ) -> [GuardDecision]? {
        guard active.count > 1, let suspicion = suspicion(active, now) else { return nil }
        let link = suspicion.link
        guard suspects?.contains(link) ?? true else { return nil }
        records[link]?.reason = suspicion.reason
        steadySince = now
        phase = .without(link: link, since: now, before: suspicion.rate)
        return [GuardDecision(link: link, reason: suspicion.reason, note: "")]
    }

    private func suspicion(_ active: [Int], _ now: MonotonicTime) -> (link: Int, reason: GuardReason, rate: Double)? {
        let figures = active.compactMap { id in records[id].map { (id: id, record: $0) } }
            .filter { $0.record.figures.roundTrip > 0 }
        let known = active.compactMap { records[$0]?.figures }
        guard known.count > 1, let best = known.max(by: { $0.best < $1.best }),
            let quickest = known.map(\.leastRoundTrip).filter({ $0 > 0 }).min()
        else { return nil }
        // The worst: what it carries in the time of its round trip.
        guard
            let worst = figures.min(by: { Self.worth($0.record.figures) < Self.worth($1.record.figures) }),
            Self.worth(worst.record.figures) < Self.worth(best)
        else { return nil }
        let suspect = worst.record.figures
        let isEarly = worst.record.retry > now
        guard worst.record.used != .never else { return nil }
        let began = max(steadySince, worst.record.used)
        var steady = now.since(began)
        guard steady >= GuardTuning.leastWatch else { return nil }
        // A loss slows the whole down for a moment, which says nothing of what the links do together.
        let window = min(steady, GuardTuning.window)
        guard let recent = whole.rate(from: Self.before(now, window), to: now) else { return nil }
        let lasting = whole.rate(from: Self.before(now, min(steady, GuardTuning.lasting)), to: now)
        let rate = max(recent, lasting ?? 0)
        // Where the best came later, nobody knows what it carries alone.
        let bestUsed = active.compactMap { records[$0] }.first { $0.figures.best == best.best }?.used ?? .never
        let isKnown = bestUsed <= worst.record.used
        // Together they carry clearly more than the best does: all is well.
        guard rate < (isKnown ? GuardTuning.benefit : GuardTuning.clearBenefit) * best.best else { return nil }
        // It was tried of late without finding harm: then only plain harm is reason to try again soon.
        if isEarly, worst.record.early > now || rate > GuardTuning.plainHarm * best.best { return nil }
        if suspect.loss > GuardTuning.mostLoss, suspect.lossSlowsDown { return (worst.id, .loss(suspect.loss), rate) }
        let ratio = suspect.leastRoundTrip / quickest
        if ratio > GuardTuning.farRoundTrip, suspect.leastRoundTrip > 0.1 {
            // What it does to the whole shows only when its first answers are due; without, nothing would be found better.
            guard steady >= min(UInt64(2e9 * suspect.leastRoundTrip), GuardTuning.window) else { return nil }
            return (worst.id, .roundTrip(suspect.leastRoundTrip, best: quickest), rate)
        }
        // Buffers grow with what comes, over some round trips: until then the whole is slow with any second link. When it all but
        // stands still, only what a segment takes that was lost in slow start is waited for.
        let isStill = rate <= GuardTuning.standstill * best.best
        let roundTrips = isStill ? GuardTuning.lossRoundTrips : GuardTuning.rampRoundTrips
        let ramp = min(
            UInt64(roundTrips * suspect.leastRoundTrip * 1e9),
            isStill ? GuardTuning.longestLoss : GuardTuning.longestRamp)
        steady = now.since(began + ramp)
        guard steady >= GuardTuning.window else { return nil }
        // No slower than the best alone: nothing to gain.
        if isKnown, rate * GuardTuning.gain > best.best { return nil }
        let unequal =
            ratio >= GuardTuning.unequalRoundTrip || suspect.best * GuardTuning.unequalRate <= best.best
            || suspect.loss > GuardTuning.someLoss
        if unequal { return (worst.id, .trial(with: rate), rate) }
        // Links that look alike may differ in their queues: what one of them was given holds up all that comes after it.
        if suspect.delay > GuardTuning.longDelay, suspect.delay > GuardTuning.unequalDelay * quickest {
            return (worst.id, .waiting(suspect.delay), rate)
        }
        if suspect.windowLimited > GuardTuning.mostWindowLimited {
            return (worst.id, .window(suspect.windowLimited), rate)
        }
        return nil
    }

    private static func worth(_ figures: LinkFigures) -> Double { figures.best / max(figures.leastRoundTrip, 0.001) }

    private mutating func judgeWithout(
        _ link: Int, _ since: MonotonicTime, _ before: Double, _ now: MonotonicTime
    ) -> [GuardDecision] {
        if connections == 0 || now.since(lastSample) > GuardTuning.pause {
            // The transfer has ended: nothing was learnt.
            guard connections == 0 || now >= since + GuardTuning.longestTrial else { return [] }
            phase = .watching
            return [promote(link, "the trial was cut short", now)]
        }
        let begin = since + GuardTuning.settling
        guard now >= begin + GuardTuning.measuring, let without = whole.rate(from: begin, to: now) else {
            guard now >= since + GuardTuning.longestTrial else { return [] }
            phase = .watching
            return [promote(link, "the trial was cut short", now)]
        }
        phase = .watching
        let backoff = records[link]?.backoff ?? GuardTuning.firstBackoff
        records[link]?.retry = now + backoff
        records[link]?.early = now + backoff / 10
        records[link]?.backoff = min(backoff * 2, GuardTuning.longestBackoff)
        if without >= GuardTuning.gain * before {
            let reason = GuardReason.slower(with: before, without: without)
            records[link]?.reason = reason
            guard deservesSecondChance(link) else {
                return [
                    GuardDecision(link: link, reason: reason, note: "tried again in \(backoff / 1_000_000_000) s")
                ]
            }
            records[link]?.hadSecondChance = true
            records[link]?.retry = now + GuardTuning.secondChance
            records[link]?.backoff = backoff
            let seconds = GuardTuning.secondChance / 1_000_000_000
            return [GuardDecision(link: link, reason: reason, note: "tried again in \(seconds) s")]
        }
        let rates = "\(GuardReason.megabits(before)) Mbit/s with it, \(GuardReason.megabits(without)) without"
        return [promote(link, rates, now)]
    }

    /// Whether a link could add much: then it may only have been slow to begin, for the receiver's window follows what comes
    /// with some delay. Once it is given a second chance, now that the others run.
    private func deservesSecondChance(_ link: Int) -> Bool {
        guard givesSecondChances, let record = records[link], !record.hadSecondChance else { return false }
        let best = usable.compactMap { records[$0]?.figures.best }.max() ?? 0
        return record.figures.best >= GuardTuning.muchToAdd * best
    }

    // MARK: Trying with a link again

    private mutating func retry(_ links: [Int], _ active: [Int], _ now: MonotonicTime) -> [GuardDecision] {
        guard now.since(steadySince) >= GuardTuning.window,
            let link = links.first(where: { id in
                records[id].map { $0.reason != nil && $0.retry <= now } ?? false
            }), let before = whole.rate(from: Self.before(now, GuardTuning.window), to: now), before > 0
        else { return [] }
        phase = .with(link: link, since: now, before: before)
        return [promote(link, "tried again", now)]
    }

    private mutating func judgeWith(
        _ link: Int, _ since: MonotonicTime, _ before: Double, _ now: MonotonicTime
    ) -> [GuardDecision] {
        let age = now.since(since)
        if connections == 0 || age >= GuardTuning.trial && now.since(lastSample) > GuardTuning.pause {
            // Nothing was learnt: it stays primary, and is suspected again when there is reason to.
            phase = .watching
            records[link]?.retry = now
            return []
        }
        let of = whole.rate(from: since + GuardTuning.settling, to: now)
        let harms: Bool
        if age >= GuardTuning.trial {
            // What counts is how it ends: the beginning is slow with any second link.
            let last = whole.rate(from: Self.before(now, GuardTuning.window), to: now)
            harms = (last ?? 0) < GuardTuning.gain * before
        } else {
            // Cut short what plainly harms; a pause of everything counts, too.
            let recent = whole.rate(from: Self.before(now, GuardTuning.glimpse), to: now)
            let stalled = now.since(lastSample) > GuardTuning.glimpse
            harms = age >= GuardTuning.glimpse && (stalled || (recent ?? before) < GuardTuning.harm * before)
            if !harms { return [] }
        }
        phase = .watching
        let backoff = records[link]?.backoff ?? GuardTuning.firstBackoff
        records[link]?.retry = now + backoff
        guard harms else {
            records[link]?.backoff = GuardTuning.firstBackoff
            return []
        }
        records[link]?.backoff = min(backoff * 2, GuardTuning.longestBackoff)
        let reason = GuardReason.slower(with: of ?? 0, without: before)
        records[link]?.reason = reason
        steadySince = now
        return [GuardDecision(link: link, reason: reason, note: "tried again in \(backoff / 1_000_000_000) s")]
    }

    // MARK: Changes

    private mutating func promote(_ link: Int, _ note: String, _ now: MonotonicTime) -> GuardDecision {
        records[link]?.reason = nil
        records[link]?.figures.restart()
        records[link]?.used = .never
        steadySince = now
        return GuardDecision(link: link, reason: nil, note: note)
    }

    /// Other links than before can be used: what was tried with those says nothing now.
    private mutating func change(to links: Set<Int>, _ now: MonotonicTime) {
        for gone in usable.subtracting(links) { records[gone] = nil }
        usable = links
        steadySince = now
        if case .without(let link, _, _) = phase, links.contains(link) {
            records[link]?.retry = now
            records[link]?.reason = .trial(with: 0)
        }
        phase = .watching
    }

    private static func before(_ now: MonotonicTime, _ span: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: now.nanoseconds > span ? now.nanoseconds - span : 0)
    }
}

/// The guard's constants: from a sweep over pairs of links (rates 1:1 to 1:100, round trips 1:1 to 1:30, loss up to 10 %).
enum GuardTuning {
    /// Nothing is judged before the links in use have been so for so long, in nanoseconds.
    static let leastWatch: UInt64 = 400_000_000
    /// Over how long the whole's rate is looked at.
    static let window: UInt64 = 1_000_000_000
    /// The same, for what it did before a moment's harm.
    static let lasting: UInt64 = 3_500_000_000
    /// After a link was left, until what was under way on it has come some other way.
    static let settling: UInt64 = 400_000_000
    /// How long the whole is measured then, at least.
    static let measuring: UInt64 = 800_000_000
    /// How long a link is tried again.
    static let trial: UInt64 = 3_500_000_000
    /// In a trial: over how long plain harm is looked for.
    static let glimpse: UInt64 = 700_000_000
    /// A trial without any measurement ends after that.
    static let longestTrial: UInt64 = 5_000_000_000
    /// Without a measurement for so long, nothing is known.
    static let pause: UInt64 = 2_500_000_000
    /// Between two trials of a link: first, and most.
    static let firstBackoff: UInt64 = 20_000_000_000
    static let longestBackoff: UInt64 = 600_000_000_000

    /// Together they add up when they carry so many times what the best was seen to carry.
    static let benefit = 1.1
    /// The same while the best was never seen without the other.
    static let clearBenefit = 1.6
    /// A link that carries this part of what the best one does is worth a second chance.
    static let muchToAdd = 0.025
    /// How soon that is.
    static let secondChance: UInt64 = 6_000_000_000
    /// By so much the whole has to be faster for a link to be left for it, or used again.
    static let gain = 1.04
    /// How long buffers take to grow, in round trips of the link that was added, and at most.
    static let rampRoundTrips = 12.0
    static let longestRamp: UInt64 = 2_200_000_000
    /// How long a segment that is lost in slow start holds all up, in round trips of its link, and at most.
    static let lossRoundTrips = 5.0
    static let longestLoss: UInt64 = 1_000_000_000
    /// Below this part of the best rate seen, only that is waited for.
    static let standstill = 0.25
    /// In a trial: below this part of the rate before, it is cut short.
    static let harm = 0.5
    /// Below this part of the best rate seen, a link is suspected again soon after it was cleared.
    static let plainHarm = 0.7
    /// Beyond these a link is left at once, when the whole does not gain by it.
    static let farRoundTrip = 20.0
    static let mostLoss = 0.05
    /// Beyond these links are unequal, and one may harm the other.
    static let unequalRoundTrip = 2.5
    static let unequalRate = 4.0
    static let someLoss = 0.02
    /// What waits on a link takes so long to arrive, in seconds, and so many times the quickest round trip.
    static let longDelay = 0.5
    static let unequalDelay = 5.0
    /// The part of the time in which the receiver's window keeps a link's subflows from sending.
    static let mostWindowLimited = 0.5
}
