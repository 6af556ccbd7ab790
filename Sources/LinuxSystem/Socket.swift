internal import CLinux
public import SystemPackage

/// A non-blocking stream socket: TCP, MPTCP or Unix. Each call is the system call of the same name.
public struct Socket: ~Copyable, Sendable {
    /// The socket's descriptor, owned by this value.
    public let descriptor: Descriptor

    /// Takes over a socket.
    public init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Takes over a socket by its number.
    public init(owning raw: CInt) {
        descriptor = Descriptor(owning: raw)
    }

    /// The descriptor's number.
    public var raw: CInt { descriptor.raw }

    /// Gives the socket up without closing it.
    public consuming func release() -> CInt {
        descriptor.release()
    }

    /// A new socket over IP. The corresponding function is `socket`.
    ///
    /// - Parameters:
    ///   - family: `.ipv4` or `.ipv6`.
    ///   - streamProtocol: TCP or MPTCP.
    /// - Throws: `Errno`: `.protocolNotSupported` (a kernel without MPTCP), `.protocolNotAvailable` (MPTCP switched off),
    ///   `.addressFamilyNotSupported` (no IPv6), `.tooManyOpenFiles`, `.tooManyOpenFilesInSystem`.
    public static func stream(_ family: SocketAddress.Family, _ streamProtocol: StreamProtocol) throws(Errno) -> Socket
    {
        let number = family == .ipv6 ? LINUX_AF_INET6 : LINUX_AF_INET
        return Socket(owning: try check(linux_socket(CInt(number), streamProtocol.number)))
    }

    /// A new Unix stream socket.
    public static func unixStream() throws(Errno) -> Socket {
        Socket(owning: try check(linux_socket(CInt(LINUX_AF_UNIX), 0)))
    }

    /// Binds to an address of this host. The corresponding function is `bind`.
    public borrowing func bind(to address: SocketAddress) throws(Errno) {
        var c = address.c
        _ = try check(unsafe linux_bind(raw, &c))
    }

    /// Binds a Unix socket to a path (at most 107 bytes).
    public borrowing func bind(toPath path: String) throws(Errno) {
        _ = try check(unsafe linux_bind_unix(raw, path))
    }

    /// Starts accepting. The corresponding function is `listen`.
    public borrowing func listen(backlog: Int) throws(Errno) {
        _ = try check(linux_listen(raw, CInt(clamping: backlog)))
    }

    /// Takes the next waiting connection. The corresponding function is `accept4`.
    ///
    /// - Parameter peer: the client's address, `.unix` for a Unix client.
    /// - Throws: `Errno.wouldBlock` when none waits; `.tooManyOpenFiles` and its like; errors of the network that concern
    ///   that one client only (`.connectionAbort` and others, accept(2)).
    public borrowing func accept(peer: inout SocketAddress) throws(Errno) -> Socket {
        var c = linux_address()
        let connection = try check(unsafe linux_accept(raw, &c))
        peer = SocketAddress(c)
        return Socket(owning: connection)
    }

    /// Starts connecting. The corresponding function is `connect`.
    ///
    /// - Returns: true when connected at once, false when the socket will be writable once it is decided.
    public borrowing func connect(to address: SocketAddress) throws(Errno) -> Bool {
        var c = address.c
        return try Self.connecting(unsafe linux_connect(raw, &c))
    }

    /// Connects to a Unix socket; a full backlog is `Errno.wouldBlock`.
    public borrowing func connect(toPath path: String) throws(Errno) -> Bool {
        try Self.connecting(unsafe linux_connect_unix(raw, path))
    }

    private static func connecting(_ answer: CInt) throws(Errno) -> Bool {
        if answer == -Errno.nowInProgress.rawValue { return false }
        _ = try check(answer)
        return true
    }

    /// Reads and clears the pending error. The corresponding option is `SO_ERROR`.
    public borrowing func takeError() -> Errno? {
        guard let value = try? option(.pendingError), value != 0 else { return nil }
        return Errno(rawValue: value)
    }

    /// Ends one or both directions. The corresponding function is `shutdown`.
    public borrowing func shutdownWriting() throws(Errno) {
        _ = try check(linux_shutdown(raw, CInt(LINUX_SHUT_WR)))
    }

    /// Makes the later close a reset: RST on TCP, MP_FASTCLOSE on MPTCP. The corresponding option is `SO_LINGER`.
    public borrowing func resetOnClose() {
        _ = linux_reset_on_close(raw)
    }

    /// The address that the socket is bound to. The corresponding function is `getsockname`.
    public borrowing func localAddress() throws(Errno) -> SocketAddress {
        var c = linux_address()
        _ = try check(unsafe linux_local_address(raw, &c))
        return SocketAddress(c)
    }

    /// The peer's address. The corresponding function is `getpeername`.
    public borrowing func peerAddress() throws(Errno) -> SocketAddress {
        var c = linux_address()
        _ = try check(unsafe linux_peer_address(raw, &c))
        return SocketAddress(c)
    }

    /// Reads what has come, at most the buffer's size; 0 is the end of the stream. The corresponding function is `recv`.
    public borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try check(unsafe linux_receive(raw, buffer.baseAddress, buffer.count))
    }

    /// Writes what the socket takes. Never raises SIGPIPE. The corresponding function is `send`.
    ///
    /// - Parameter more: more follows at once, so a short segment may wait for it (`MSG_MORE`).
    public borrowing func send(_ buffer: UnsafeRawBufferPointer, more: Bool = false) throws(Errno) -> Int {
        try check(unsafe linux_send(raw, buffer.baseAddress, buffer.count, more ? 1 : 0))
    }

    /// Bytes that have come and are not read yet. The corresponding request is `SIOCINQ`.
    public borrowing func bytesReadable() throws(Errno) -> Int {
        Int(try check(linux_bytes_readable(raw)))
    }
}
