internal import LinuxSystem
internal import MultipathTCP

/// What was seen of one MPTCP or TCP side of a bulk connection at its last measurement.
struct WatchedConnection {
    /// A subflow's counters.
    struct Counters {
        var id: UInt32
        var delivered: UInt64
        var segments: UInt32
        var retransmits: UInt32
        /// In microseconds.
        var windowLimited: UInt64
    }

    let id: UInt64
    /// Of the whole.
    var delivered: UInt64
    /// Chooses the congestion control, when that is wanted.
    var congestion: CongestionChoice?
    /// Keeps what waits in the kernel short, when that is wanted.
    var queue: SendQueueLimit?
    /// Losses make its congestion control slow down.
    var lossSlowsDown: Bool
    private var subflows: [Counters] = []

    init(id: UInt64, delivered: UInt64, lossSlowsDown: Bool, choosesCongestion: Bool, queue: SendQueueLimit?) {
        self.id = id
        self.delivered = delivered
        self.lossSlowsDown = lossSlowsDown
        congestion = choosesCongestion ? CongestionChoice() : nil
        self.queue = queue
    }

    /// What a subflow has delivered since the last measurement, and takes note of it. A new one has delivered nothing yet.
    mutating func difference(_ subflow: borrowing Subflow) -> Counters {
        let id = subflow.id ?? 0
        let now = Counters(
            id: id, delivered: subflow.tcp.bytesAcknowledged &+ subflow.tcp.bytesReceived,
            segments: subflow.tcp.segmentsSent, retransmits: subflow.tcp.retransmits,
            windowLimited: subflow.tcp.windowLimitedMicroseconds)
        guard let index = subflows.firstIndex(where: { $0.id == id }) else {
            subflows.append(now)
            return Counters(id: id, delivered: 0, segments: 0, retransmits: 0, windowLimited: 0)
        }
        let before = subflows[index]
        subflows[index] = now
        return Counters(
            id: id, delivered: now.delivered &- before.delivered, segments: now.segments &- before.segments,
            retransmits: now.retransmits &- before.retransmits,
            windowLimited: now.windowLimited &- before.windowLimited)
    }
}
