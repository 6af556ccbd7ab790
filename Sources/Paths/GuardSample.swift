public import LinuxSystem

/// What bulk connections did in a short time, as the event loops measured it.
public struct GuardSample: Sendable {
    /// The end of the time.
    public var at: MonotonicTime
    /// Its length in nanoseconds.
    public var span: UInt64
    /// Connections measured; 0: there are none (left).
    public var connections: Int
    /// Bytes that applications got.
    public var delivered: UInt64
    /// What happened on each link.
    public var links: [Link]

    /// What happened on one link.
    public struct Link: Sendable {
        /// The link's number.
        public var id: Int
        /// Bytes delivered by its subflows.
        public var delivered: UInt64
        /// Segments sent.
        public var segments: UInt64
        /// Segments sent again.
        public var retransmits: UInt64
        /// In microseconds; 0 when unknown.
        public var roundTrip: UInt32
        /// Losses slow its subflows down.
        public var lossSlowsDown: Bool
        /// Bytes sent and not acknowledged, at the end of the time.
        public var unacknowledged: UInt64
        /// For how long the receiver's window kept its subflows from sending, the longest of them, in nanoseconds.
        public var windowLimited: UInt64

        /// A link's part, of these figures.
        public init(
            id: Int, delivered: UInt64, segments: UInt64 = 0, retransmits: UInt64 = 0, roundTrip: UInt32 = 0,
            lossSlowsDown: Bool = false, unacknowledged: UInt64 = 0, windowLimited: UInt64 = 0
        ) {
            self.id = id
            self.delivered = delivered
            self.segments = segments
            self.retransmits = retransmits
            self.roundTrip = roundTrip
            self.lossSlowsDown = lossSlowsDown
            self.unacknowledged = unacknowledged
            self.windowLimited = windowLimited
        }
    }

    /// A sample of its parts.
    public init(at: MonotonicTime, span: UInt64, connections: Int, delivered: UInt64, links: [Link]) {
        self.at = at
        self.span = span
        self.connections = connections
        self.delivered = delivered
        self.links = links
    }
}
