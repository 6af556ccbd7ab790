internal import CLinux

/// The protocol of a stream socket over IP.
public enum StreamProtocol: Sendable, Hashable {
    /// Plain TCP, RFC 9293.
    case tcp
    /// Multipath TCP, RFC 8684; the kernel's `IPPROTO_MPTCP`.
    case mptcp

    /// The number for `socket(2)`, as `SO_PROTOCOL` answers it.
    public var number: CInt {
        switch self {
        case .tcp: CInt(LINUX_IPPROTO_TCP)
        case .mptcp: CInt(LINUX_IPPROTO_MPTCP)
        }
    }

    /// By its number; `nil` for any other.
    public init?(number: CInt) {
        switch number {
        case CInt(LINUX_IPPROTO_TCP): self = .tcp
        case CInt(LINUX_IPPROTO_MPTCP): self = .mptcp
        default: return nil
        }
    }
}
