internal import CLinux
public import SystemPackage

/// An integer socket option: level and name as `setsockopt` takes them.
public struct SocketOption: Sendable, Hashable {
    /// `SOL_SOCKET`, `IPPROTO_TCP`, …
    public let level: CInt
    /// The option's number.
    public let name: CInt
    /// The name in the manual, for messages.
    public let label: StaticString

    /// An option by its numbers.
    public init(level: CInt, name: CInt, label: StaticString) {
        self.level = level
        self.name = name
        self.label = label
    }

    private init(socket name: CInt, _ label: StaticString) {
        self.init(level: CInt(LINUX_SOL_SOCKET), name: name, label: label)
    }

    private init(tcp name: CInt, _ label: StaticString) {
        self.init(level: CInt(LINUX_SOL_TCP), name: name, label: label)
    }

    /// Options are the same when their numbers are.
    public static func == (left: SocketOption, right: SocketOption) -> Bool {
        left.level == right.level && left.name == right.name
    }

    /// Hashes the numbers.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(level)
        hasher.combine(name)
    }

    /// `SO_REUSEADDR`, socket(7).
    public static let reuseAddress = SocketOption(socket: CInt(LINUX_SO_REUSEADDR), "SO_REUSEADDR")
    /// `SO_REUSEPORT`, socket(7).
    public static let reusePort = SocketOption(socket: CInt(LINUX_SO_REUSEPORT), "SO_REUSEPORT")
    /// `SO_ERROR`, socket(7).
    public static let pendingError = SocketOption(socket: CInt(LINUX_SO_ERROR), "SO_ERROR")
    /// `SO_TYPE`, socket(7).
    public static let type = SocketOption(socket: CInt(LINUX_SO_TYPE), "SO_TYPE")
    /// `SO_DOMAIN`, socket(7).
    public static let domain = SocketOption(socket: CInt(LINUX_SO_DOMAIN), "SO_DOMAIN")
    /// `SO_PROTOCOL`, socket(7): 262 on an accepted connection means that the client asked for MPTCP.
    public static let streamProtocol = SocketOption(socket: CInt(LINUX_SO_PROTOCOL), "SO_PROTOCOL")
    /// `SO_ACCEPTCONN`, socket(7).
    public static let isListening = SocketOption(socket: CInt(LINUX_SO_ACCEPTCONN), "SO_ACCEPTCONN")
    /// `SO_KEEPALIVE`, socket(7).
    public static let keepalive = SocketOption(socket: CInt(LINUX_SO_KEEPALIVE), "SO_KEEPALIVE")
    /// `SO_SNDBUF`, socket(7), in bytes.
    public static let sendBuffer = SocketOption(socket: CInt(LINUX_SO_SNDBUF), "SO_SNDBUF")
    /// `SO_RCVBUF`, socket(7), in bytes. Never set it on MPTCP: it binds data to the first subflow.
    public static let receiveBuffer = SocketOption(socket: CInt(LINUX_SO_RCVBUF), "SO_RCVBUF")
    /// `SO_MARK`, socket(7); needs CAP_NET_ADMIN.
    public static let mark = SocketOption(socket: CInt(LINUX_SO_MARK), "SO_MARK")
    /// `TCP_NODELAY`, tcp(7).
    public static let noDelay = SocketOption(tcp: CInt(LINUX_TCP_NODELAY), "TCP_NODELAY")
    /// `TCP_KEEPIDLE`, tcp(7), in seconds.
    public static let keepaliveIdle = SocketOption(tcp: CInt(LINUX_TCP_KEEPIDLE), "TCP_KEEPIDLE")
    /// `TCP_KEEPINTVL`, tcp(7), in seconds.
    public static let keepaliveInterval = SocketOption(tcp: CInt(LINUX_TCP_KEEPINTVL), "TCP_KEEPINTVL")
    /// `TCP_KEEPCNT`, tcp(7).
    public static let keepaliveCount = SocketOption(tcp: CInt(LINUX_TCP_KEEPCNT), "TCP_KEEPCNT")
    /// `TCP_USER_TIMEOUT`, tcp(7), in milliseconds; not on MPTCP.
    public static let userTimeout = SocketOption(tcp: CInt(LINUX_TCP_USER_TIMEOUT), "TCP_USER_TIMEOUT")
    /// `TCP_FASTOPEN`, tcp(7): the queue length of a listener.
    public static let fastOpen = SocketOption(tcp: CInt(LINUX_TCP_FASTOPEN), "TCP_FASTOPEN")
    /// `TCP_FASTOPEN_CONNECT`, tcp(7).
    public static let fastOpenConnect = SocketOption(tcp: CInt(LINUX_TCP_FASTOPEN_CONNECT), "TCP_FASTOPEN_CONNECT")
    /// `TCP_IS_MPTCP`: 1 while the connection is multipath, 0 after a fallback; kernels from 6.10 on.
    public static let isMultipath = SocketOption(tcp: CInt(LINUX_TCP_IS_MPTCP), "TCP_IS_MPTCP")
    /// `IP_TOS`, ip(7).
    public static let typeOfService = SocketOption(
        level: CInt(LINUX_SOL_IP), name: CInt(LINUX_IP_TOS), label: "IP_TOS")
    /// `IPV6_TCLASS`, ipv6(7).
    public static let trafficClass = SocketOption(
        level: CInt(LINUX_SOL_IPV6), name: CInt(LINUX_IPV6_TCLASS), label: "IPV6_TCLASS")
    /// `IP_BIND_ADDRESS_NO_PORT`, ip(7).
    public static let bindAddressNoPort = SocketOption(
        level: CInt(LINUX_SOL_IP), name: CInt(LINUX_IP_BIND_ADDRESS_NO_PORT),
        label: "IP_BIND_ADDRESS_NO_PORT")
    /// `IPV6_V6ONLY`, ipv6(7).
    public static let ipv6Only = SocketOption(
        level: CInt(LINUX_SOL_IPV6), name: CInt(LINUX_IPV6_V6ONLY), label: "IPV6_V6ONLY")
}

extension Socket {
    /// Reads an option. The corresponding function is `getsockopt`.
    public borrowing func option(_ option: SocketOption) throws(Errno) -> CInt {
        var value: CInt = 0
        _ = try check(unsafe linux_get_option(raw, option.level, option.name, &value))
        return value
    }

    /// Sets an option. The corresponding function is `setsockopt`.
    public borrowing func set(_ option: SocketOption, _ value: CInt) throws(Errno) {
        _ = try check(linux_set_option(raw, option.level, option.name, value))
    }

    /// Sets the congestion control by name (`TCP_CONGESTION`, tcp(7)); on MPTCP it reaches every subflow.
    ///
    /// - Throws: `Errno.noSuchFileOrDirectory` when the kernel has none of that name.
    public borrowing func set(congestionControl name: String) throws(Errno) {
        let bytes = Array(name.utf8)
        let answer = unsafe bytes.withUnsafeBytes { buffer in
            unsafe linux_set_option_bytes(
                raw, CInt(LINUX_SOL_TCP), CInt(LINUX_TCP_CONGESTION), buffer.baseAddress, buffer.count)
        }
        _ = try check(answer)
    }

    /// Binds to an interface (`SO_BINDTODEVICE`, socket(7)). Before connecting only; on MPTCP it is copied to later subflows.
    public borrowing func bind(toInterface name: String) throws(Errno) {
        let bytes = Array(name.utf8) + [0]
        let answer = unsafe bytes.withUnsafeBytes { buffer in
            unsafe linux_set_option_bytes(
                raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_BINDTODEVICE), buffer.baseAddress, buffer.count)
        }
        _ = try check(answer)
    }

    /// Accepts connections to any address, as TPROXY delivers them (`IP_TRANSPARENT`, ip(7)); needs CAP_NET_ADMIN.
    public borrowing func acceptForeignDestinations(_ family: SocketAddress.Family) throws(Errno) {
        let number = family == .ipv6 ? LINUX_AF_INET6 : LINUX_AF_INET
        _ = try check(linux_set_transparent(raw, CInt(number)))
    }

    /// The protocol of the socket; `nil` when it is neither TCP nor MPTCP (a Unix socket).
    public borrowing func streamProtocol() -> StreamProtocol? {
        guard let number = try? option(.streamProtocol) else { return nil }
        return StreamProtocol(number: number)
    }
}
