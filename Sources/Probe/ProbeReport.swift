public import MultipathTCP

/// What a probe found out.
public struct ProbeReport: Sendable {
    /// Why a run ended before all echoes were there.
    public enum Failure: Sendable, Hashable {
        /// There was no connection.
        case notConnected(DialError)
        /// An echo did not come in time.
        case noEcho(sequence: Int, timeout: Duration)
        /// What came back was not what was sent.
        case wrongEcho(sequence: Int)
        /// The peer ended the connection.
        case closedByPeer(sequence: Int)
        /// The connection broke; the text is the system's.
        case broken(sequence: Int, explanation: String)
    }

    /// What was probed.
    public let target: HostAndPort
    /// The address that it connected to, as text; `nil` without a connection.
    public internal(set) var address: String?
    /// How long connecting took (the lookup of the name included), in nanoseconds.
    public internal(set) var connectNanoseconds: UInt64?
    /// Messages sent.
    public internal(set) var sent = 0
    /// The round trips of those that came back.
    public internal(set) var roundTrips = RoundTripStatistics()
    /// Why it is not multipath; `nil` when it is. Asked after the last byte. Means nothing without a connection.
    public internal(set) var notMultipathReason: NotMultipathReason?
    /// The subflows at the end; one on plain TCP.
    public internal(set) var subflows: [Subflow] = []
    /// What went wrong; `nil` when nothing did.
    public internal(set) var failure: Failure?
    /// Whether multipath was required.
    public let requiresMultipath: Bool

    init(_ options: ProbeOptions) {
        target = options.target
        requiresMultipath = options.requireMultipath
    }

    /// Whether there was a connection.
    public var isConnected: Bool { address != nil }

    /// Whether the connection was multipath at the end.
    public var isMultipath: Bool { isConnected && notMultipathReason == nil }

    /// The exit status after sysexits(3): 0 good; 1 no echo, or not multipath where it was required; 71 no socket to be had.
    public var exitStatus: Int32 {
        if case .notConnected(.system) = failure { return 71 }
        if failure != nil || roundTrips.count == 0 { return 1 }
        return requiresMultipath && !isMultipath ? 1 : 0
    }
}

extension ProbeReport.Failure: CustomStringConvertible {
    /// One line for humans.
    public var description: String {
        switch self {
        case .notConnected(let error): "no connection: \(error)"
        case .noEcho(let sequence, let timeout): "seq=\(sequence): no echo within \(timeout)"
        case .wrongEcho(let sequence): "seq=\(sequence): what came back is not what was sent: no echo server there?"
        case .closedByPeer(let sequence): "seq=\(sequence): the peer closed the connection: no echo server there?"
        case .broken(let sequence, let explanation): "seq=\(sequence): \(explanation)"
        }
    }
}
