public import LinuxSystem

/// What bulk connections of one loop did over each link in a short time: what the guard decides by. Only connections dialled
/// over MPTCP that move a lot, and have more than one subflow, are in it.
public struct PathQuality: Sendable {
    /// The end of the time.
    public var at: MonotonicTime
    /// How long it was, in nanoseconds.
    public var span: UInt64
    /// How many connections were measured; 0 with the last report, when none is left.
    public var connections: Int
    /// Data acknowledged or received in order, by the connections as a whole: what applications got.
    public var delivered: UInt64 = 0
    /// Each link that a subflow was seen on, in no order.
    public var links: [LinkQuality] = []
    /// The same for each peer, in no order.
    public var peers: [PeerQuality] = []

    /// What the connections to one peer did.
    public struct PeerQuality: Sendable {
        /// The peer's address, without port: that of the first subflow.
        public var remote: SocketAddress
        /// As `PathQuality.delivered`.
        public var delivered: UInt64 = 0
        /// As `PathQuality.links`.
        public var links: [LinkQuality] = []

        /// Nothing seen yet.
        public init(remote: SocketAddress) { self.remote = remote }
    }

    /// What was seen on one link.
    public struct LinkQuality: Sendable {
        /// `LinkCandidate.id`.
        public var link: Int
        /// Payload that subflows on it delivered, both ways, retransmissions left out.
        public var delivered: UInt64 = 0
        /// Segments sent.
        public var segments: UInt64 = 0
        /// Segments sent again.
        public var retransmits: UInt64 = 0
        /// The least round-trip time of its subflows now, in microseconds, of those that have one; 0 without.
        public var roundTrip: UInt32 = 0
        /// Losses make the congestion control of these subflows slow down: not BBR.
        public var lossSlowsDown = false
        /// Bytes that its subflows have sent and the peers have not acknowledged.
        public var unacknowledged: UInt64 = 0
        /// For how long the peer's receive window kept a subflow from sending, the longest of them, in microseconds.
        public var windowLimited: UInt64 = 0

        /// Nothing seen yet.
        public init(link: Int) { self.link = link }
    }

    /// A report of no connection yet.
    public init(at: MonotonicTime, span: UInt64, connections: Int) {
        self.at = at
        self.span = span
        self.connections = connections
    }
}
