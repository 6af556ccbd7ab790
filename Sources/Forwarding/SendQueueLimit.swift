internal import MultipathTCP

/// Decides how much a bulk connection over several subflows may have in the kernel.
///
/// The kernel lets a socket hold two congestion windows' worth of segments at their full cost in memory, which is more than
/// three of data: what is sent again after a link's death stands behind two windows of the link that survives. What the links
/// need to be busy is less: the sum of their rates, for as long as the slowest answer takes. Data that came over the quicker
/// link counts until what the slower one carries is there.
///
/// Pure: it is told what was seen of the subflows, and answers what to set.
struct SendQueueLimit {
    /// The least that is set, in bytes.
    private static let least: UInt64 = 64 << 10
    /// For how long data has to be there beyond what is on its way, in microseconds: the time until a thread that waits for
    /// room gets the processor and writes.
    private static let reserve: UInt64 = 10_000
    /// It is not done for less than that, in microseconds of standing still.
    private static let worthwhile: UInt64 = 50_000

    /// What is set now, in bytes; 0: nothing, the kernel decides.
    private(set) var bound: UInt64 = 0
    /// What the links needed, not forgotten at once.
    private var needed: UInt64 = 0

    /// Nothing is set yet, or what was set before.
    init(bound: UInt64 = 0) { self.bound = bound }

    /// What was seen at one time.
    struct Sight {
        /// Bytes a second.
        fileprivate(set) var rate: UInt64 = 0
        /// Of the slowest answer, in microseconds.
        fileprivate(set) var roundTrip: UInt64 = 0
        /// Of the quickest.
        fileprivate(set) var leastRoundTrip = UInt64.max
        /// Subflows that have data on their way.
        fileprivate(set) var sending: UInt64 = 0
        /// One of them is in its first slow start: how fast it is will be seen.
        fileprivate(set) var isGrowing = false

        /// Adds a subflow.
        mutating func add(_ tcp: TCPStatistics) {
            add(
                unacknowledged: tcp.unacknowledgedSegments, window: tcp.congestionWindow,
                threshold: tcp.slowStartThreshold, segment: tcp.segmentSize, roundTrip: tcp.roundTripMicroseconds)
        }

        /// Adds a subflow: segments, bytes, microseconds.
        mutating func add(
            unacknowledged: UInt32, window: UInt32, threshold: UInt32?, segment: UInt32, roundTrip: UInt32
        ) {
            guard unacknowledged > 0, roundTrip > 0 else { return }
            sending += 1
            var segments = UInt64(window)
            if let threshold {
                // After a timeout it will soon be there again.
                segments = max(segments, UInt64(threshold))
            } else {
                // It doubles each round trip, and is looked at ten times a second.
                isGrowing = true
                segments *= 4
            }
            rate += segments * UInt64(segment) * 1_000_000 / UInt64(roundTrip)
            self.roundTrip = max(self.roundTrip, UInt64(roundTrip))
            leastRoundTrip = min(leastRoundTrip, UInt64(roundTrip))
        }
    }

    /// Takes what was seen.
    ///
    /// - Parameters:
    ///   - most: the most that may be set, in bytes.
    ///   - current: the bound in force; asked for only where it matters.
    /// - Returns: what to set now, in bytes; `nil`: nothing else than before.
    mutating func take(_ sight: Sight, most: UInt64, current: () -> UInt64) -> UInt64? {
        guard sight.sending > 0, bound > 0 || !sight.isGrowing && sight.sending > 1 else { return nil }
        let now = sight.rate * (sight.roundTrip + Self.reserve) / 1_000_000
        // While a segment is sent again over the slower link, the quicker ones go on.
        let ahead = sight.rate * (sight.roundTrip - sight.leastRoundTrip) / 1_000_000
        // A writer is woken when a third of the room is free.
        needed = max(now * 3 / 2 + ahead, needed - needed / 8)
        let wanted = min(max(needed, Self.least), most)
        if bound == 0 {
            let current = current()
            guard wanted * 4 / 3 <= current, current - wanted >= sight.rate * Self.worthwhile / 1_000_000 else {
                return nil
            }
        } else {
            let difference = wanted > bound ? wanted - bound : bound - wanted
            guard difference > bound / 8 else { return nil }
        }
        bound = wanted
        return wanted
    }
}
