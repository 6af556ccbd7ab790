internal import LinuxSystem

/// Finds the connections that move a lot, at the cost of a few instructions for each event: a small cache by slot of what
/// moved of late. Connections whose slots collide take turns; a missed one is found a little later.
struct BulkFinder {
    private struct Entry {
        var slot: UInt32 = 0
        var bytes: UInt64 = 0
        var since = MonotonicTime(nanoseconds: 0)
    }

    /// So many bytes within `window` make a connection a bulk connection.
    private static let threshold: UInt64 = 192 << 10
    private static let window: UInt64 = 1_000_000_000
    private var entries: [Entry] = Array(repeating: Entry(), count: 64)

    /// Notes what an event moved.
    ///
    /// - Returns: whether the connection has just turned out to move a lot.
    mutating func note(_ slot: UInt32, _ bytes: UInt64, now: MonotonicTime) -> Bool {
        let index = Int(slot & 63)
        if now.since(entries[index].since) > Self.window {
            entries[index] = Entry(slot: slot, bytes: bytes, since: now)
        } else if entries[index].slot == slot {
            entries[index].bytes &+= bytes
        } else {
            return false
        }
        guard entries[index].bytes >= Self.threshold else { return false }
        entries[index].since = MonotonicTime(nanoseconds: 0)
        entries[index].bytes = 0
        return true
    }
}
