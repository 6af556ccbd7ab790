internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import TLS

/// One end of a connection: its socket, which it owns, and what the poller watches it for.
struct Side: ~Copyable {
    /// The socket, -1 when there is none (yet).
    let raw: CInt
    /// An MPTCP socket, whether or not it fell back since.
    let isMultipathSocket: Bool
    /// TLS on the socket, which belongs to it; `nil` without.
    var tls: TLSSession?
    /// What the poller watches for; `nil` when it does not know the socket.
    var interest: Readiness?
    /// TCP_NODELAY as it is set now.
    var noDelay: Bool

    static var absent: Side { Side(owning: -1, isMultipathSocket: false, noDelay: false) }

    init(owning raw: CInt, isMultipathSocket: Bool, noDelay: Bool) {
        self.raw = raw
        self.isMultipathSocket = isMultipathSocket
        self.noDelay = noDelay
    }

    deinit {
        tls?.end()
        if raw >= 0 { linux_close(raw) }
    }

    /// Where its bytes are read and written.
    var channel: Channel { Channel(raw: raw, tls: tls) }

    /// TLS has sealed bytes that the socket did not take yet.
    var hasUnsent: Bool { tls?.hasUnsent ?? false }

    /// Writes what TLS has sealed.
    ///
    /// - Returns: the socket's error.
    func flush() -> Errno? {
        guard let answer = tls?.flush(), answer < 0, answer != -Errno.wouldBlock.rawValue else { return nil }
        return Errno(rawValue: -answer)
    }

    /// Tells the poller what to watch for, when that has changed.
    ///
    /// Nothing to watch for becomes an edge-triggered registration: a hang-up, which cannot be switched off, is then told
    /// once and not as long as it lasts.
    mutating func watch(_ wanted: Readiness, _ token: EventToken, _ poller: borrowing Poller) throws(Errno) {
        let readiness: Readiness = wanted.isEmpty ? .edge : wanted
        if interest == readiness { return }
        if interest == nil {
            try poller.add(raw, readiness, token)
        } else {
            try poller.modify(raw, readiness, token)
        }
        interest = readiness
    }

    /// Makes TCP_NODELAY follow the flow into this socket.
    mutating func follow(deep: Bool) {
        if noDelay != deep { return }
        noDelay = !deep
        _ = linux_set_option(raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_NODELAY), noDelay ? 1 : 0)
    }

    /// Lets the kernel ask a silent peer whether it lives, after so many seconds and then every ten. tcp(7)
    borrowing func setKeepalive(_ seconds: Int32, isUnix: Bool) {
        if isUnix { return }
        _ = linux_set_option(raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_KEEPALIVE), 1)
        _ = linux_set_option(raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_KEEPIDLE), seconds)
        _ = linux_set_option(raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_KEEPINTVL), min(seconds, 10))
    }

    /// The next close is a reset.
    borrowing func resetOnClose() {
        if raw >= 0 { _ = linux_reset_on_close(raw) }
    }

    /// The pending error, which is thereby cleared.
    borrowing func pendingError() -> Errno {
        var value: CInt = 0
        let answer = unsafe linux_get_option(raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_ERROR), &value)
        return answer < 0 || value == 0 ? .connectionReset : Errno(rawValue: value)
    }
}
