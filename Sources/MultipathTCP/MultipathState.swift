internal import CLinux
public import LinuxSystem

/// Whether a socket is multipath *now*: one or two system calls, nothing allocated.
///
/// A fallback to TCP may come at any time, also after the first answers said `multipath` (a middlebox that strips options from
/// later segments): ask again once bytes went both ways. RFC 8684, section 3.7.
public enum MultipathState: UInt8, Sendable, Hashable {
    /// MPTCP is in use.
    case multipath
    /// The socket asked for MPTCP (or its client did, on an accepted one) and runs over plain TCP now, for good.
    case fellBack
    /// A plain TCP socket. An accepted one: its client did not ask for MPTCP, or the path took the question away.
    case plainTCP
    /// Neither TCP nor MPTCP: a Unix socket, say.
    case notTCP

    /// The state of a socket by its descriptor.
    ///
    /// Asks `SO_PROTOCOL` (socket(7)), then `TCP_IS_MPTCP`, and on kernels before 6.10, which do not know that, `MPTCP_INFO`.
    /// A listener, or a socket that is not connected yet, answers what it would ask for.
    public static func of(_ raw: CInt) -> MultipathState {
        var number: CInt = 0
        guard unsafe linux_get_option(raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_PROTOCOL), &number) == 0 else {
            return .notTCP
        }
        switch number {
        case CInt(LINUX_IPPROTO_TCP): return .plainTCP
        case CInt(LINUX_IPPROTO_MPTCP): break
        default: return .notTCP
        }
        var answer: CInt = 0
        if unsafe linux_get_option(raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_IS_MPTCP), &answer) == 0 {
            return answer == 1 ? .multipath : .fellBack
        }
        return ofOlderKernel(raw)
    }

    /// What kernels before 6.10 can say: `MPTCP_INFO` ends with the fallback, or carries its flag.
    static func ofOlderKernel(_ raw: CInt) -> MultipathState {
        var info = linux_mptcp_info()
        guard unsafe linux_mptcp_info(raw, &info) >= 0 else { return .fellBack }
        return info.flags & UInt32(LINUX_MPTCP_FLAG_FALLBACK) != 0 ? .fellBack : .multipath
    }
}

extension Socket {
    /// Whether the socket is multipath now.
    public var multipathState: MultipathState { MultipathState.of(raw) }
}
