internal import LinuxSystem

/// Which link a dial starts from first: those that are up before those that are not, those that have not just failed
/// before those that have, then primary before backup, then by priority, then the quicker of late.
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
    func order(now: MonotonicTime) -> [Int8] {
        entries.indices.sorted { isBefore($0, $1, now) }.map { Int8(clamping: $0) }
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

    private func isBefore(_ a: Int, _ b: Int, _ now: MonotonicTime) -> Bool {
        let left = rank(a, now)
        let right = rank(b, now)
        return left == right ? a < b : left < right
    }

    private func rank(_ index: Int, _ now: MonotonicTime) -> (Int, Int, Int, Int, UInt64) {
        let entry = entries[index]
        return (
            entry.link.isUp ? 0 : 1, entry.failedUntil > now ? 1 : 0, entry.link.isBackup ? 1 : 0, entry.link.priority,
            entry.connectTime
        )
    }
}
