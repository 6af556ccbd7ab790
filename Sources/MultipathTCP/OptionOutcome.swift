internal import CLinux
public import LinuxSystem
public import SystemPackage

/// What came of setting a socket option. On MPTCP sockets many options are missing (which ones depends on the kernel), and
/// that is worth one record in a log, not an end to the connection; a wrong value or a missing privilege is a failure.
public enum OptionOutcome: Sendable, Hashable {
    /// It is set.
    case set
    /// This kind of socket does not have the option on this kernel.
    case unsupported(Errno)
    /// The option exists, and the kernel would not set it: a wrong value, or no permission.
    case failed(Errno)

    /// What an error of `setsockopt` means.
    public init(_ error: Errno) {
        switch error {
        case .protocolNotAvailable, .notSupportedOnSocket: self = .unsupported(error)
        default: self = .failed(error)
        }
    }

}

extension Socket {
    /// Sets an integer option, and tells a missing option from a failure. The corresponding function is `setsockopt`.
    public borrowing func attempt(_ option: SocketOption, _ value: CInt) -> OptionOutcome {
        do {
            try set(option, value)
            return .set
        } catch {
            return OptionOutcome(error)
        }
    }

    /// Switches keepalive probes on, so that a dead path or peer is noticed while nothing is sent. tcp(7).
    ///
    /// - Parameters:
    ///   - idle: seconds without traffic before the first probe.
    ///   - interval: seconds between probes.
    ///   - count: probes without an answer before the connection is given up.
    public borrowing func attemptKeepalive(idle: CInt, interval: CInt, count: CInt) -> OptionOutcome {
        makeFirstSubflow()
        let switched = attempt(.keepalive, 1)
        guard switched == .set else { return switched }
        let timed = attempt(.keepaliveIdle, idle)
        guard timed == .set else { return timed }
        let spaced = attempt(.keepaliveInterval, interval)
        guard spaced == .set else { return spaced }
        return attempt(.keepaliveCount, count)
    }

    /// Sends short segments at once (`TCP_NODELAY`), or lets them wait for an acknowledgement. tcp(7).
    public borrowing func attemptNoDelay(_ on: Bool) -> OptionOutcome {
        attempt(.noDelay, on ? 1 : 0)
    }

    /// Chooses the congestion control by name; on MPTCP it reaches every subflow. tcp(7).
    ///
    /// - Returns: `.failed(.noSuchFileOrDirectory)` when the kernel has none of that name, `.failed(.notPermitted)` when this
    ///   process may not use it (`net.ipv4.tcp_allowed_congestion_control`).
    public borrowing func attemptCongestionControl(_ name: String) -> OptionOutcome {
        makeFirstSubflow()
        do {
            try set(congestionControl: name)
            return .set
        } catch {
            return OptionOutcome(error)
        }
    }

    /// Marks every packet for routing and nftables (`SO_MARK`, needs `CAP_NET_ADMIN`). socket(7).
    public borrowing func attemptMark(_ mark: UInt32) -> OptionOutcome {
        attempt(.mark, CInt(bitPattern: mark))
    }

    /// Sets the DSCP and ECN byte: `IP_TOS` on an IPv4 socket; on an IPv6 one `IPV6_TCLASS`, and `IP_TOS` too for the IPv4
    /// peers that a dual-stack socket may have. ip(7), ipv6(7). Linux 6.18 has no `IPV6_TCLASS` on MPTCP.
    public borrowing func attemptTypeOfService(_ value: UInt8, _ family: SocketAddress.Family) -> OptionOutcome {
        guard family == .ipv6 else { return attempt(.typeOfService, CInt(value)) }
        let outcome = attempt(.trafficClass, CInt(value))
        _ = attempt(.typeOfService, CInt(value))
        return outcome
    }

    /// Gives a connection up when sent data stays unacknowledged for so many milliseconds (`TCP_USER_TIMEOUT`, RFC 5482).
    /// Unsupported on MPTCP; it works after a fallback.
    public borrowing func attemptUserTimeout(milliseconds: CInt) -> OptionOutcome {
        attempt(.userTimeout, milliseconds)
    }

    /// Has the kernel make an MPTCP socket's first subflow, if there is none yet: without one it takes any value of an option
    /// that the subflows check, and the mistake would show nowhere. Asking for an option that only a subflow has does it.
    private borrowing func makeFirstSubflow() {
        _ = try? option(
            SocketOption(level: CInt(LINUX_SOL_TCP), name: CInt(LINUX_TCP_CONGESTION), label: "TCP_CONGESTION"))
    }
}
