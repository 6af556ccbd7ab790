public import LinuxSystem
public import MultipathTCP

/// A connection as it was at one moment.
public struct ConnectionSnapshot: Sendable {
    /// What it is doing.
    public enum State: String, Sendable, CaseIterable {
        /// Says and hears what comes before data.
        case handshake
        /// Waits for its upstream's addresses.
        case resolving
        /// Waits for its upstream to answer.
        case dialing
        /// Bytes may move both ways.
        case relaying
        /// One direction has ended.
        case halfClosed = "half-closed"
    }

    /// Unique in this process; the same in its record. `LoopShared.index(ofConnection:)` is its loop.
    public let id: UInt64
    /// The relay's id.
    public let relay: Int
    /// The client's address.
    public let client: SocketAddress
    /// The upstream's index in the plan, -1 when it has none yet.
    public let upstream: Int
    /// The address that was connected to, `.none` without one, `.unix` for a Unix socket.
    public let upstreamAddress: SocketAddress
    /// Where the client has chosen to go: `HOST:PORT`; `nil` when that is configured.
    public let destination: String?
    /// What it is doing.
    public let state: State
    /// When it was accepted.
    public let opened: MonotonicTime
    /// Client to upstream.
    public let bytesUp: UInt64
    /// Upstream to client.
    public let bytesDown: UInt64
    /// Multipath or not, over the legs that could be.
    public let multipath: MultipathOutcome
    /// Why a leg that could be multipath is not; `nil` when it is, or none could be.
    public let notMultipathReason: NotMultipathReason?
    /// Of the legs that are (or were to be) MPTCP; one of a leg that fell back.
    public let subflows: [SubflowSnapshot]
}

/// A subflow as it was at one moment.
public struct SubflowSnapshot: Sendable, Hashable {
    /// The side of the connection that it is part of.
    public enum Leg: String, Sendable {
        case client
        case upstream
    }

    /// The side of the connection that it is part of.
    public let leg: Leg
    /// This host's address.
    public let local: SocketAddress
    /// The peer's address.
    public let remote: SocketAddress
    /// The kernel's number for it in its connection; `nil` when it is plain TCP.
    public let id: UInt32?
    /// Its TCP state.
    public let state: TCPState
    /// It carries data only while no other can; `nil` when the kernel does not tell.
    public let isBackup: Bool?
    /// Smoothed round-trip time in microseconds.
    public let roundTripMicroseconds: UInt32
    /// Its variance in microseconds.
    public let roundTripVarianceMicroseconds: UInt32
    /// Payload sent, retransmissions included.
    public let bytesSent: UInt64
    /// Payload received.
    public let bytesReceived: UInt64
    /// Segments sent.
    public let segmentsSent: UInt32
    /// Segments sent again.
    public let retransmits: UInt32
    /// Segments sent and not acknowledged yet.
    public let unacknowledgedSegments: UInt32

    init(_ subflow: Subflow, leg: Leg, isBackup: Bool?) {
        self.leg = leg
        self.isBackup = isBackup
        local = subflow.local
        remote = subflow.remote
        id = subflow.id
        state = subflow.tcp.state
        roundTripMicroseconds = subflow.tcp.roundTripMicroseconds
        roundTripVarianceMicroseconds = subflow.tcp.roundTripVarianceMicroseconds
        bytesSent = subflow.tcp.bytesSent
        bytesReceived = subflow.tcp.bytesReceived
        segmentsSent = subflow.tcp.segmentsSent
        retransmits = subflow.tcp.retransmits
        unacknowledgedSegments = subflow.tcp.unacknowledgedSegments
    }
}
