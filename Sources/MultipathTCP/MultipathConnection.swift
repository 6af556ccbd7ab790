public import LinuxSystem
public import SystemPackage

/// A connection over multipath TCP, or over plain TCP where it could not be had; it works the same, and says which it is.
///
/// Made by `MultipathDialer` and `MultipathListener`. Calls wait as long as they are told to. Any thread may use it, and two
/// may at once: one that sends, one that receives. It is closed when the last reference to it goes.
public final class MultipathConnection: Sendable {
    private let socket: Socket
    /// This side's address at the start; later subflows have others.
    public let local: SocketAddress
    /// The peer's address at the start; later subflows may have others.
    public let remote: SocketAddress
    /// Why it was not multipath from the start; `nil` when it was.
    private let reasonAtStart: NotMultipathReason?
    private let cancellation: CInt?

    init(
        _ socket: consuming Socket, local: SocketAddress, remote: SocketAddress, reasonAtStart: NotMultipathReason?,
        cancellation: CInt?
    ) {
        self.socket = socket
        self.local = local
        self.remote = remote
        self.reasonAtStart = reasonAtStart
        self.cancellation = cancellation
    }

    /// The descriptor, for calls that this type does not have. It stays owned by the connection, which must outlive its use.
    public var raw: CInt { socket.raw }

    // MARK: Is it multipath?

    /// Whether the connection is multipath now.
    ///
    /// A middlebox may let the handshake pass and break what follows, so a yes is final only after bytes went both ways.
    public var isMultipath: Bool { state == .multipath }

    /// What the connection is now.
    public var state: MultipathState { socket.multipathState }

    /// Why the connection is not multipath now; `nil` when it is.
    public var notMultipathReason: NotMultipathReason? {
        switch state {
        case .multipath: nil
        case .fellBack: reasonAtStart ?? .fellBackLater
        case .plainTCP: reasonAtStart ?? .notRequested
        case .notTCP: .notTCP
        }
    }

    /// What the kernel knows about the multipath connection as a whole.
    ///
    /// - Throws: `Errno.protocolNotAvailable` or `.notSupportedOnSocket` when it is not multipath, or not any more.
    public func info() throws(Errno) -> MultipathInfo {
        try MultipathInfo.of(socket.raw)
    }

    /// The subflows, each with its addresses and what TCP counts; one when the connection is not multipath.
    ///
    /// - Throws: `Errno.socketNotConnected` when the peer has reset the connection.
    public func subflows() throws(Errno) -> [Subflow] {
        try Subflow.all(of: socket.raw)
    }

    // MARK: Bytes

    /// Reads what has come, waiting for the first byte.
    ///
    /// - Parameters:
    ///   - count: at most so many bytes.
    ///   - timeout: how long to wait; `nil` without end.
    /// - Returns: the bytes; none is the end of the stream.
    /// - Throws: `Errno.timedOut`, `.canceled`, `.connectionReset` and any error of recv(2).
    public func receive(upTo count: Int, timeout: Duration? = nil) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        var span = bytes.mutableSpan
        let received = try receive(into: &span, timeout: timeout)
        bytes.removeLast(bytes.count - received)
        return bytes
    }

    /// Reads what has come into a buffer, waiting for the first byte.
    ///
    /// - Returns: how many bytes; 0 is the end of the stream (or an empty buffer).
    /// - Throws: `Errno.timedOut`, `.canceled`, `.connectionReset` and any error of recv(2).
    public func receive(into buffer: inout MutableSpan<UInt8>, timeout: Duration? = nil) throws(Errno) -> Int {
        let deadline = Waiting.deadline(after: timeout)
        while true {
            do throws(Errno) {
                return try receiveNow(into: &buffer)
            } catch {
                guard error == .wouldBlock else { throw error }
            }
            try Waiting.until(socket.raw, .readable, deadline: deadline, cancellation: cancellation)
        }
    }

    /// Reads what has come, without waiting: for programs with a loop of their own.
    ///
    /// - Returns: how many bytes; 0 is the end of the stream (or an empty buffer).
    /// - Throws: `Errno.wouldBlock` when nothing has come, and any error of recv(2).
    public func receiveNow(into buffer: inout MutableSpan<UInt8>) throws(Errno) -> Int {
        if buffer.isEmpty { return 0 }
        return try unsafe buffer.withUnsafeMutableBytes { (bytes) throws(Errno) in
            try unsafe socket.receive(into: bytes)
        }
    }

    /// Writes all the bytes, waiting for room as long as it takes.
    ///
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - timeout: how long the whole may take; `nil` without end.
    /// - Throws: `Errno.timedOut` and `.canceled` (some bytes may be written then), `.brokenPipe`, `.connectionReset` and any
    ///   error of send(2).
    public func send(_ bytes: Span<UInt8>, timeout: Duration? = nil) throws(Errno) {
        let deadline = Waiting.deadline(after: timeout)
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                sent += try sendNow(bytes.extracting(sent...))
                continue
            } catch {
                guard error == .wouldBlock else { throw error }
            }
            try Waiting.until(socket.raw, .writable, deadline: deadline, cancellation: cancellation)
        }
    }

    /// Writes what there is room for, without waiting: for programs with a loop of their own.
    ///
    /// - Returns: how many bytes were taken, at least 1.
    /// - Throws: `Errno.wouldBlock` when there is no room, and any error of send(2).
    public func sendNow(_ bytes: Span<UInt8>) throws(Errno) -> Int {
        try unsafe bytes.withUnsafeBytes { (bytes) throws(Errno) in
            try unsafe socket.send(bytes)
        }
    }

    /// Writes all the bytes, waiting for room as long as it takes; see `send(_:timeout:)`.
    public func send(_ bytes: [UInt8], timeout: Duration? = nil) throws(Errno) {
        try send(bytes.span, timeout: timeout)
    }

    /// Ends the stream to the peer, who then reads its end; the other direction goes on. The corresponding call is
    /// `shutdown(SHUT_WR)`.
    public func finishSending() throws(Errno) {
        try socket.shutdownWriting()
    }

    /// Makes the close a reset instead of an orderly end: RST on TCP, MP_FASTCLOSE on MPTCP.
    public func resetOnClose() {
        socket.resetOnClose()
    }

    // MARK: Options

    /// Sets an option, and tells one that this kind of socket does not have from a failure.
    public func attempt(_ option: SocketOption, _ value: CInt) -> OptionOutcome {
        socket.attempt(option, value)
    }

    /// Sends short segments at once (`TCP_NODELAY`), or lets them wait for an acknowledgement. tcp(7).
    public func attemptNoDelay(_ on: Bool) -> OptionOutcome {
        socket.attemptNoDelay(on)
    }
}
