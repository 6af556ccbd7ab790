internal import LinuxSystem

/// Which link a dial starts from first: those that are up before those that are not, those that have not just failed
/// before those that have, then primary before backup, then by priority, then the quicker of late. A relay's mode and whether
/// it requires multipath change that.
///
/// One loop's own view, learnt from its own dials: nothing is shared, nothing is locked.
struct LinkRanking {
    /// How long a link that lost a dial, or whose dial failed, is tried last.
    private static let failureMemory: UInt64 = 10_000_000_000

    private struct Entry {
        var link: LinkCandidate
        /// Smoothed time to connect, in nanoseconds; 0 without a sample.
        var connectTime: UInt64 = 0
        var failedUntil = MonotonicTime(nanoseconds: 0)
        /// Smoothed round-trip time of its subflows, in nanoseconds; 0 when it was not measured.
        var roundTrip: UInt64 = 0
        /// MPTCP was stripped on it, so many times in a row, and it is avoided until then where MPTCP is required.
        var strippedUntil = MonotonicTime(nanoseconds: 0)
        var strippedTimes: UInt64 = 0
    }

    private var entries: [Entry] = []

    /// How many links there are.
    var count: Int { entries.count }

    /// Whether there is a choice of links, so that it matters how they are.
    private(set) var isMeasured = false

    /// The link that has an address; `nil` when none has.
    func link(of address: SocketAddress) -> Int? {
        let local = address.unmapped.with(port: 0)
        for entry in entries {
            if entry.link.ipv4 == local { return entry.link.id }
            guard let ipv6 = entry.link.ipv6, ipv6.family == .ipv6, local.family == .ipv6 else { continue }
            if ipv6.bytes == local.bytes { return entry.link.id }
        }
        return nil
    }

    /// Takes new links; what was learnt of those that stay is kept.
    mutating func set(_ links: [LinkCandidate]) {
        entries = links.map { link in
            var entry = entries.first { $0.link.id == link.id } ?? Entry(link: link)
            // A link that has come back is not held to what it did before.
            if link.isUp, !entry.link.isUp { entry.failedUntil = MonotonicTime(nanoseconds: 0) }
            entry.link = link
            return entry
        }
        isMeasured = links.count { $0.ipv4?.family == .ipv4 || $0.ipv6?.family == .ipv6 } > 1
    }

    /// The links in the order in which they are to be tried now, by their positions.
    func order(now: MonotonicTime, mode: LinkMode = .aggregate, requiresMultipath: Bool = false) -> [Int8] {
        let ranks = entries.map { rank($0, now, mode, requiresMultipath) }
        return entries.indices.sorted { ranks[$0] == ranks[$1] ? $0 < $1 : ranks[$0] < ranks[$1] }
            .map { Int8(clamping: $0) }
    }

    /// The link at a position.
    func link(_ position: Int8) -> LinkCandidate? {
        entries.indices.contains(Int(position)) ? entries[Int(position)].link : nil
    }

    mutating func connected(_ position: Int8, after nanoseconds: UInt64) {
        guard entries.indices.contains(Int(position)) else { return }
        let before = entries[Int(position)].connectTime
        entries[Int(position)].connectTime = before == 0 ? nanoseconds : (before * 7 + nanoseconds) / 8
        entries[Int(position)].failedUntil = MonotonicTime(nanoseconds: 0)
    }

    mutating func failed(_ position: Int8, now: MonotonicTime) {
        guard entries.indices.contains(Int(position)) else { return }
        entries[Int(position)].failedUntil = now + Self.failureMemory
    }

    /// What was measured of a link's subflows; 0 when nothing was.
    mutating func measured(_ position: Int8, roundTrip nanoseconds: UInt64) {
        guard entries.indices.contains(Int(position)) else { return }
        entries[Int(position)].roundTrip = nanoseconds
    }

    /// A link has carried MPTCP.
    mutating func carriedMultipath(_ position: Int8) {
        guard entries.indices.contains(Int(position)) else { return }
        entries[Int(position)].strippedUntil = MonotonicTime(nanoseconds: 0)
        entries[Int(position)].strippedTimes = 0
    }

    /// A dial over a link fell back, and over another one it did not.
    mutating func stripped(_ position: Int8, now: MonotonicTime) {
        guard entries.indices.contains(Int(position)) else { return }
        let memory = Tuning.strippingMemory << min(entries[Int(position)].strippedTimes, 8)
        entries[Int(position)].strippedTimes += 1
        entries[Int(position)].strippedUntil = now + min(memory, Tuning.strippingMemoryLongest)
    }

    /// What comes first counts most; smaller is better.
    private struct Rank: Comparable {
        let state: (Int, Int, Int, Int)
        let choice: (UInt64, UInt64)

        static func < (left: Rank, right: Rank) -> Bool {
            left.state == right.state ? left.choice < right.choice : left.state < right.state
        }

        static func == (left: Rank, right: Rank) -> Bool { left.state == right.state && left.choice == right.choice }
    }

    private func rank(_ entry: Entry, _ now: MonotonicTime, _ mode: LinkMode, _ requiresMultipath: Bool) -> Rank {
        let state = (
            entry.link.isUp ? 0 : 1, entry.failedUntil > now ? 1 : 0,
            requiresMultipath && entry.strippedUntil > now ? 1 : 0, entry.link.isBackup ? 1 : 0
        )
        // Priorities may be negative.
        let priority = UInt64(bitPattern: Int64(entry.link.priority)) ^ 1 << 63
        switch mode {
        case .aggregate: return Rank(state: state, choice: (priority, entry.connectTime))
        case .handover: return Rank(state: state, choice: (priority, 0))
        case .interactive:
            // One that was never used is tried, or it would never be known.
            let latency = entry.roundTrip > 0 ? entry.roundTrip : entry.connectTime
            return Rank(state: state, choice: (latency, priority))
        }
    }
}
