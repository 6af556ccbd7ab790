internal import CLinux
internal import LinuxSystem
public import SystemPackage

/// The state of a TCP connection. RFC 9293, section 3.3.2, numbered as the kernel does.
public enum TCPState: UInt8, Sendable, Hashable {
    case established = 1
    case synSent = 2
    case synReceived = 3
    case finWait1 = 4
    case finWait2 = 5
    case timeWait = 6
    case closed = 7
    case closeWait = 8
    case lastAck = 9
    case listening = 10
    case closing = 11
    /// A number that no kernel known to us uses.
    case unknown = 0
}

/// What the kernel counts about one TCP connection or subflow: `TCP_INFO`, tcp(7), in plain numbers and nothing allocated.
///
/// What a kernel is too old to tell is 0.
public struct TCPStatistics: Sendable, Hashable {
    /// The connection's state.
    public let state: TCPState
    /// Smoothed round-trip time in microseconds.
    public let roundTripMicroseconds: UInt32
    /// Variance of the round-trip time in microseconds.
    public let roundTripVarianceMicroseconds: UInt32
    /// The shortest round trip of late, in microseconds.
    public let minimumRoundTripMicroseconds: UInt32
    /// The round-trip time as a receiver of data estimates it, in microseconds; 0 without an estimate.
    public let receiverRoundTripMicroseconds: UInt32
    /// The retransmission timeout in microseconds.
    public let retransmissionTimeoutMicroseconds: UInt32
    /// The congestion window in segments.
    public let congestionWindow: UInt32
    /// The congestion window in segments up to which slow start goes; `nil` while nothing has ended it yet. RFC 5681, section 3.1.
    public let slowStartThreshold: UInt32?
    /// The maximum segment size for sending, in bytes.
    public let segmentSize: UInt32
    /// The largest packet that the path takes, as far as is known, in bytes.
    public let pathMTU: UInt32
    /// The largest segment that this side asked the peer for, in bytes (MSS option of RFC 9293).
    public let advertisedSegmentSize: UInt32
    /// Segments sent and not acknowledged yet.
    public let unacknowledgedSegments: UInt32
    /// Those of them that the peer has said came, out of order. RFC 2018.
    public let selectivelyAcknowledgedSegments: UInt32
    /// Segments now held for lost.
    public let lostSegments: UInt32
    /// Retransmissions of the segment at the head of the queue without an answer, in a row.
    public let retransmissionsInRow: UInt8
    /// Probes (keepalive, or of a closed window) without an answer, in a row.
    public let probesUnanswered: UInt8
    /// Segments ever retransmitted, a SYN too.
    public let retransmits: UInt32
    /// Segments ever sent.
    public let segmentsSent: UInt32
    /// Segments ever received.
    public let segmentsReceived: UInt32
    /// Bytes of payload sent, retransmissions included.
    public let bytesSent: UInt64
    /// Bytes of payload that the peer acknowledged.
    public let bytesAcknowledged: UInt64
    /// Bytes of payload received in order.
    public let bytesReceived: UInt64
    /// Bytes of payload retransmitted.
    public let bytesRetransmitted: UInt64
    /// Bytes written and not sent for the first time yet.
    public let bytesNotSent: UInt32
    /// Milliseconds since data was last sent.
    public let lastDataSentMilliseconds: UInt32
    /// Milliseconds since data last came.
    public let lastDataReceivedMilliseconds: UInt32
    /// Milliseconds since an acknowledgement last came.
    public let lastAcknowledgementMilliseconds: UInt32
    /// The latest measured rate of delivery, in bytes a second.
    public let deliveryRate: UInt64
    /// The rate at which the kernel paces sending, in bytes a second.
    public let pacingRate: UInt64
    /// The peer's receive window in bytes.
    public let sendWindow: UInt32
    /// For how long in all data to be sent was held back by the peer's receive window, in microseconds.
    public let windowLimitedMicroseconds: UInt64

    /// Asks the kernel about a TCP connection, or the first subflow of a multipath one. The corresponding option is `TCP_INFO`.
    ///
    /// - Throws: `Errno.notSupportedOnSocket` and its like for a socket that is not TCP.
    public static func of(_ raw: CInt) throws(Errno) -> TCPStatistics {
        var info = linux_tcp_info()
        _ = try check(unsafe linux_tcp_info(raw, &info))
        return TCPStatistics(info)
    }

    /// From the kernel's structure; what it did not fill must be zero.
    init(_ info: linux_tcp_info) {
        state = TCPState(rawValue: info.state) ?? .unknown
        roundTripMicroseconds = info.rtt
        roundTripVarianceMicroseconds = info.rttvar
        minimumRoundTripMicroseconds = info.min_rtt
        receiverRoundTripMicroseconds = info.rcv_rtt
        retransmissionTimeoutMicroseconds = info.rto
        congestionWindow = info.snd_cwnd
        // The kernel's TCP_INFINITE_SSTHRESH.
        slowStartThreshold = info.snd_ssthresh < 0x7fff_ffff ? info.snd_ssthresh : nil
        segmentSize = info.snd_mss
        pathMTU = info.pmtu
        advertisedSegmentSize = info.advmss
        unacknowledgedSegments = info.unacked
        selectivelyAcknowledgedSegments = info.sacked
        lostSegments = info.lost
        retransmissionsInRow = info.retransmits
        probesUnanswered = info.probes
        retransmits = info.total_retrans
        segmentsSent = info.segs_out
        segmentsReceived = info.segs_in
        bytesSent = info.bytes_sent
        bytesAcknowledged = info.bytes_acked
        bytesReceived = info.bytes_received
        bytesRetransmitted = info.bytes_retrans
        bytesNotSent = info.notsent_bytes
        lastDataSentMilliseconds = info.last_data_sent
        lastDataReceivedMilliseconds = info.last_data_recv
        lastAcknowledgementMilliseconds = info.last_ack_recv
        deliveryRate = info.delivery_rate
        pacingRate = info.pacing_rate
        sendWindow = info.snd_wnd
        windowLimitedMicroseconds = info.rwnd_limited
    }
}
