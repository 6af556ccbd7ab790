public import LinuxSystem

/// What the configuration's rules make of the links: `max-rtt`, `max-loss`, `monthly-limit`, and the relays' `mode`.
///
/// Pure: it is told what was counted and what the time is, and answers for each link whether it is to be backup, or off, and
/// why. What the configuration says outright (`backup = true`) and what `braid link` says is not its matter.
public struct PathPolicy: Sendable {
    /// What is known of a link now.
    public struct Reading: Sendable {
        /// The link's number.
        public var id: Int
        /// Its name, under which its use is kept.
        public var name: String
        /// What it has to keep.
        public var rules: LinkRules
        /// It may carry data: up, used by this end, and neither the configuration nor a person made it backup.
        public var isPrimary: Bool
        /// Bytes sent and received since the daemon started.
        public var bytes: UInt64
        /// Segments sent since then.
        public var segments: UInt64
        /// Of them sent again.
        public var retransmits: UInt64
        /// In microseconds, of late; 0 when it was never measured.
        public var roundTrip: UInt64

        /// A reading of its parts.
        public init(
            id: Int, name: String, rules: LinkRules, isPrimary: Bool, bytes: UInt64 = 0, segments: UInt64 = 0,
            retransmits: UInt64 = 0, roundTrip: UInt64 = 0
        ) {
            self.id = id
            self.name = name
            self.rules = rules
            self.isPrimary = isPrimary
            self.bytes = bytes
            self.segments = segments
            self.retransmits = retransmits
            self.roundTrip = roundTrip
        }
    }

    /// What is to become of a link.
    public struct Verdict: Sendable, Hashable {
        /// The link's number.
        public var id: Int
        /// Why it is to be backup; `nil` when it need not.
        public var backup: String?
        /// It is not to be used at all: past its monthly limit.
        public var isOff = false

        /// A link that may be used as it is configured.
        public init(id: Int) { self.id = id }
    }

    private struct Known: Sendable {
        var threshold: LinkThreshold
        var rules: LinkRules
        var bytes: UInt64 = 0
        var segments: UInt64 = 0
        var retransmits: UInt64 = 0
    }

    /// How the relays use links.
    public var mode: PathMode
    /// What each link has carried this month.
    public private(set) var usage: UsageBook
    private var known: [Int: Known] = [:]
    private var preference = LinkPreference()
    private var isOverLimit = false

    /// - Parameters:
    ///   - mode: how the relays use links.
    ///   - usage: what was kept of this month.
    public init(mode: PathMode = .aggregate, usage: UsageBook) {
        self.mode = mode
        self.usage = usage
    }

    /// Takes up what was kept of this month: it comes to what was counted so far.
    public mutating func takeUp(_ kept: UsageBook) {
        var book = kept
        book.add(usage)
        usage = book
    }

    /// When `judge` is to be called again although nothing was counted; `never` when nothing waits.
    public var deadline: MonotonicTime {
        known.values.map(\.threshold.deadline).min().map { min($0, preference.deadline) } ?? preference.deadline
    }

    /// When the month ends, in seconds since 1970, if a link waits for that.
    public var monthEnd: Int64? { isOverLimit ? usage.month.next.begin : nil }

    /// Judges every link.
    ///
    /// - Parameters:
    ///   - readings: the links by priority.
    ///   - now: the time.
    ///   - seconds: the time since 1970, UTC.
    public mutating func judge(_ readings: [Reading], now: MonotonicTime, seconds: Int64) -> [Verdict] {
        usage.turn(to: UsageBook.Month(seconds: seconds))
        for gone in known.keys where !readings.contains(where: { $0.id == gone }) { known[gone] = nil }
        isOverLimit = false
        var verdicts: [Verdict] = []
        var candidates: [LinkPreference.Candidate] = []
        for reading in readings {
            let verdict = judge(reading, now)
            verdicts.append(verdict)
            if reading.isPrimary, verdict.backup == nil, !verdict.isOff {
                candidates.append(LinkPreference.Candidate(id: reading.id, roundTrip: reading.roundTrip))
            }
        }
        if let chosen = preference.choose(mode, candidates, now: now) {
            let name = readings.first { $0.id == chosen }?.name ?? ""
            for index in verdicts.indices
            where candidates.contains(where: { $0.id == verdicts[index].id }) && verdicts[index].id != chosen {
                verdicts[index].backup = "mode \(mode.word): \(name) is used"
            }
        }
        return verdicts
    }

    private mutating func judge(_ reading: Reading, _ now: MonotonicTime) -> Verdict {
        let seen = count(reading, now)
        var verdict = Verdict(id: reading.id)
        if let reason = seen.threshold.reason { verdict.backup = reason.description }
        let limit = reading.rules.monthlyLimit
        let used = usage.used(reading.name)
        if limit > 0, used >= limit {
            isOverLimit = true
            switch reading.rules.overLimit {
            case .off: verdict.isOff = true
            case .backup:
                verdict.backup =
                    "past its monthly limit: \(Self.megabytes(used)) of \(Self.megabytes(limit)) MB in \(usage.month)"
            }
        }
        return verdict
    }

    /// Takes note of what was counted since the last time.
    private mutating func count(_ reading: Reading, _ now: MonotonicTime) -> Known {
        var link =
            known[reading.id]
            // What the loops counted before this policy began is on no book yet, so it is new, too.
            ?? Known(threshold: LinkThreshold(reading.rules), rules: reading.rules)
        if link.rules != reading.rules {
            link.rules = reading.rules
            link.threshold = LinkThreshold(reading.rules)
        }
        let segments = reading.segments &- link.segments
        let hasMoved = segments > 0 || reading.bytes != link.bytes
        link.threshold.take(
            roundTrip: hasMoved && reading.roundTrip > 0 ? reading.roundTrip : nil, segments: segments,
            retransmits: reading.retransmits &- link.retransmits, now: now)
        link.threshold.look(now)
        usage.add(reading.bytes &- link.bytes, to: reading.name, in: usage.month)
        link.bytes = reading.bytes
        link.segments = reading.segments
        link.retransmits = reading.retransmits
        known[reading.id] = link
        return link
    }

    private static func megabytes(_ bytes: UInt64) -> String { GuardReason.decimal(Double(bytes) / 1e6) }
}

extension PathMode {
    /// As the configuration has it.
    public var word: String {
        switch self {
        case .aggregate: "aggregate"
        case .handover: "handover"
        case .interactive: "interactive"
        }
    }
}
