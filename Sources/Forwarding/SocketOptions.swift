public import LinuxSystem
public import SystemPackage

/// An option that could not be set. The connection goes on without it.
public struct SocketOptionFailure: Sendable {
    /// The name in the manual.
    public var option: StaticString
    /// What the kernel said.
    public var error: Errno

    /// The kernel or the protocol does not have the option, as MPTCP lacks `TCP_USER_TIMEOUT`.
    public var isUnsupported: Bool {
        error == .protocolNotAvailable || error == .notSupportedOnSocket || error == .notSupported
    }
}

extension Socket {
    /// Sets what the plan asks for and answers what could not be set; in the usual case that is an empty array, which is
    /// not allocated.
    public borrowing func apply(_ plan: SocketPlan, family: SocketAddress.Family) -> [SocketOptionFailure] {
        var failures: [SocketOptionFailure] = []
        if family != .unix, plan.noDelay != .never { set(.noDelay, 1, &failures) }
        if plan.keepaliveSeconds > 0 {
            set(.keepalive, 1, &failures)
            if family != .unix {
                set(.keepaliveIdle, plan.keepaliveSeconds, &failures)
                set(.keepaliveInterval, min(plan.keepaliveSeconds, 10), &failures)
            }
        }
        if plan.mark != 0 { set(.mark, CInt(bitPattern: plan.mark), &failures) }
        if plan.typeOfService != 0 {
            if family == .ipv4 { set(.typeOfService, plan.typeOfService, &failures) }
            if family == .ipv6 { set(.trafficClass, plan.typeOfService, &failures) }
        }
        if plan.buffer != 0 {
            set(.sendBuffer, plan.buffer, &failures)
            // On MPTCP it would bind data to the first subflow and end autotuning.
            if streamProtocol() != .mptcp { set(.receiveBuffer, plan.buffer, &failures) }
        }
        if plan.userTimeout != 0, family != .unix, streamProtocol() == .tcp {
            set(.userTimeout, CInt(clamping: plan.userTimeout / 1_000_000), &failures)
        }
        if !plan.congestion.isEmpty {
            collect("TCP_CONGESTION", &failures) { () throws(Errno) in try set(congestionControl: plan.congestion) }
        }
        if !plan.interface.isEmpty {
            collect("SO_BINDTODEVICE", &failures) { () throws(Errno) in try bind(toInterface: plan.interface) }
        }
        if plan.fastOpen { set(.fastOpenConnect, 1, &failures) }
        return failures
    }

    private borrowing func set(_ option: SocketOption, _ value: CInt, _ failures: inout [SocketOptionFailure]) {
        do throws(Errno) {
            try set(option, value)
        } catch {
            failures.append(SocketOptionFailure(option: option.label, error: error))
        }
    }

    private borrowing func collect(
        _ label: StaticString, _ failures: inout [SocketOptionFailure], _ body: () throws(Errno) -> Void
    ) {
        do throws(Errno) {
            try body()
        } catch {
            failures.append(SocketOptionFailure(option: label, error: error))
        }
    }
}
