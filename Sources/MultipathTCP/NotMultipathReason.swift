public import SystemPackage

/// Why a connection is not multipath.
public enum NotMultipathReason: Sendable, Hashable {
    /// This side did not ask for it.
    case notRequested
    /// This kernel has no MPTCP: before Linux 5.6, or built without it. Nothing but another kernel mends that.
    case kernelWithoutMPTCP
    /// `net.mptcp.enabled` is 0 in this network namespace.
    case disabledBySysctl
    /// The system refuses the socket to this process: a seccomp filter, SELinux, eBPF.
    case refusedBySystem(Errno)
    /// Accepted: the client's SYN did not ask for MPTCP, because the client does not, or because the path took the option away.
    case clientDidNotAsk
    /// Dialled: the answer to the SYN came without MPTCP, because the peer does not speak it, or because the path took the
    /// option away.
    case peerOrPathRefused
    /// The connection was multipath, and then had to go on as TCP: something on the path touches the options or the data of
    /// later segments.
    case fellBackLater
    /// SYNs with MPTCP got no answer, one without did: a middlebox drops them (or it was lost three times).
    case synDropped
    /// The kernel left MPTCP out of the SYN, because earlier ones to someone were dropped: for `net.mptcp.blackhole_timeout`
    /// seconds (doubling) it dials plain TCP everywhere.
    case blackholeDetected
    /// The socket is neither TCP nor MPTCP.
    case notTCP
}

extension NotMultipathReason: CustomStringConvertible {
    /// One line for humans, without a full stop: it fits into "not multipath: …".
    public var description: String {
        switch self {
        case .notRequested: "MPTCP was not asked for"
        case .kernelWithoutMPTCP: "this host's kernel has no MPTCP"
        case .disabledBySysctl: "MPTCP is switched off on this host (net.mptcp.enabled=0)"
        case .refusedBySystem(let errno): "this host refuses MPTCP sockets to this process (\(errno))"
        case .clientDidNotAsk: "the client did not ask for MPTCP, or the path removed the option from its SYN"
        case .peerOrPathRefused: "the peer does not speak MPTCP, or the path removed the option"
        case .fellBackLater: "the path began to strip or change MPTCP options after the connection was made"
        case .synDropped: "SYNs with MPTCP got no answer, one without did: something on the path drops them"
        case .blackholeDetected:
            "the kernel dials plain TCP for a while, since SYNs with MPTCP were dropped (net.mptcp.blackhole_timeout)"
        case .notTCP: "the socket is not TCP"
        }
    }

    /// A short fixed word for logs and JSON, such as `peer-or-path-refused`.
    public var identifier: String {
        switch self {
        case .notRequested: "not-requested"
        case .kernelWithoutMPTCP: "kernel-without-mptcp"
        case .disabledBySysctl: "disabled-by-sysctl"
        case .refusedBySystem: "refused-by-system"
        case .clientDidNotAsk: "client-did-not-ask"
        case .peerOrPathRefused: "peer-or-path-refused"
        case .fellBackLater: "fell-back-later"
        case .synDropped: "syn-dropped"
        case .blackholeDetected: "blackhole-detected"
        case .notTCP: "not-tcp"
        }
    }
}
