internal import CLinux

/// What a loop's MPTCP legs have done over one link: those whose subflows have one of the link's addresses at this end.
///
/// Followed while data moves, four times a second and connection, and when a connection ends.
public struct LinkCounters: Sendable, Hashable {
    /// Payload sent, retransmissions included.
    public var bytesSent: UInt64 = 0
    /// Payload received.
    public var bytesReceived: UInt64 = 0
    /// Segments sent.
    public var segmentsSent: UInt64 = 0
    /// Segments sent again.
    public var retransmits: UInt64 = 0
    /// Round-trip time of late, in microseconds, smoothed over all subflows; 0 before anything was measured.
    public var roundTripMicroseconds: UInt64 = 0
    /// Subflows now.
    public var subflows: UInt64 = 0

    /// All zero.
    public init() {}
}

extension CounterBlocks {
    /// The counters of a link by its `LinkCandidate.id`, all zero when the loop does not know it.
    public func read(link: Int) -> LinkCounters {
        var counters = LinkCounters()
        guard let block = existingBlock(.link(link)) else { return counters }
        unsafe counters.bytesSent = linux_counter_load(block.words)
        unsafe counters.bytesReceived = linux_counter_load(block.words + 1)
        unsafe counters.segmentsSent = linux_counter_load(block.words + 2)
        unsafe counters.retransmits = linux_counter_load(block.words + 3)
        unsafe counters.roundTripMicroseconds = linux_counter_load(block.words + 4)
        unsafe counters.subflows = linux_counter_load(block.words + 5)
        return counters
    }
}

extension CounterBlocks.Block {
    func publish(_ counters: LinkCounters) {
        unsafe linux_counter_store(words, counters.bytesSent)
        unsafe linux_counter_store(words + 1, counters.bytesReceived)
        unsafe linux_counter_store(words + 2, counters.segmentsSent)
        unsafe linux_counter_store(words + 3, counters.retransmits)
        unsafe linux_counter_store(words + 4, counters.roundTripMicroseconds)
        unsafe linux_counter_store(words + 5, counters.subflows)
    }
}
