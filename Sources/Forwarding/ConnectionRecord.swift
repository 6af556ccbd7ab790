public import LinuxSystem
public import MultipathTCP
public import SystemPackage

/// How a connection ended. Why an upstream could not be reached (refused, timed out, no address) is in the record's error.
public enum ConnectionResult: UInt8, Sendable, CaseIterable {
    case closed
    case clientReset
    case upstreamReset
    case connectFailed
    case idleTimeout
    case halfCloseTimeout
    case userTimeout
    case refused
    case drained
    case outOfDescriptors
    case handshakeFailed
    case handshakeTimeout
    case closedByOperator

    /// The word of `BRAID_RESULT`.
    public var word: String {
        switch self {
        case .closed: "closed"
        case .clientReset: "client-reset"
        case .upstreamReset: "upstream-reset"
        case .connectFailed: "connect-failed"
        case .idleTimeout: "idle-timeout"
        case .halfCloseTimeout: "half-close-timeout"
        case .userTimeout: "user-timeout"
        case .refused: "refused"
        case .drained: "drained"
        case .outOfDescriptors: "out-of-descriptors"
        case .handshakeFailed: "handshake-failed"
        case .handshakeTimeout: "handshake-timeout"
        case .closedByOperator: "closed-by-operator"
        }
    }
}

/// Whether a connection is (or was) multipath: the word of `BRAID_MULTIPATH`.
public enum MultipathOutcome: UInt8, Sendable, CaseIterable {
    /// Nobody asked for it, or this kernel has none.
    case no
    /// Asked for, and refused by the peer or lost on the way.
    case fallback
    case yes

    /// The word of `BRAID_MULTIPATH`.
    public var word: String {
        switch self {
        case .no: "no"
        case .fallback: "fallback"
        case .yes: "yes"
        }
    }
}

/// What is left of a connection: plain values, so that a loop can queue it without allocating.
public struct ConnectionRecord: Sendable {
    /// Unique in this process.
    public var id: UInt64
    /// The relay's id.
    public var relay: Int
    /// The client's address.
    public var client: SocketAddress
    /// The upstream's index in the plan, -1 when none was reached or tried.
    public var upstream: Int
    /// The address that was connected to, `.none` without one, `.unix` for a Unix socket.
    public var upstreamAddress: SocketAddress
    /// Multipath or not, over the legs that could be.
    public var multipath: MultipathOutcome
    /// The most subflows seen at once.
    public var subflows: Int
    /// Client to upstream.
    public var bytesUp: UInt64
    /// Upstream to client.
    public var bytesDown: UInt64
    /// From accepted to closed, in nanoseconds.
    public var duration: UInt64
    /// From accepted to connected, in nanoseconds; 0 when it never was.
    public var connectTime: UInt64
    /// How it ended.
    public var result: ConnectionResult
    /// The errno behind a failure, or 0.
    public var error: Errno
    /// What its handshake said; `nil` without one.
    public var notes: ConnectionNotes?
    /// Why it was not multipath where it could have been; `nil` when it was, or nobody asked for it.
    public var notMultipathReason: NotMultipathReason?
}
