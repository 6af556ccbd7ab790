internal import CLinux
public import SystemPackage

/// A Unix socket over which two processes of one host exchange short texts, and descriptors with them. unix(7),
/// `SOCK_SEQPACKET` and `SCM_RIGHTS`.
public struct DescriptorChannel: ~Copyable, Sendable {
    /// A text, and the descriptor that came with it.
    public struct Message: ~Copyable, Sendable {
        /// At most 1024 bytes of it.
        public let text: String
        /// The descriptor, when one came.
        public let descriptor: Descriptor?

        /// Gives the descriptor away.
        public consuming func takeDescriptor() -> Descriptor? { descriptor }
    }

    /// Who is at the other end, as the kernel says.
    public struct Peer: Sendable, Equatable {
        /// Its process.
        public let process: Int32
        /// Its user.
        public let user: UInt32
    }

    private static let size = 1024
    private let descriptor: Descriptor

    private init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Its number, to be watched.
    public var raw: CInt { descriptor.raw }

    /// Listens at a path, for the owner only. A file that nobody listens at any more is replaced.
    ///
    /// - Throws: `Errno.addressInUse` when somebody listens there; others of `bind` and `listen`.
    public static func listen(atPath path: String) throws(Errno) -> DescriptorChannel {
        let channel = DescriptorChannel(Descriptor(owning: try check(linux_seqpacket())))
        let answer = unsafe linux_bind_unix(channel.raw, path)
        if answer == -Errno.addressInUse.rawValue {
            do throws(Errno) {
                _ = try connect(toPath: path)
                throw .addressInUse
            } catch {
                guard error == .connectionRefused else { throw .addressInUse }
            }
            try UnixSocketFile.remove(path)
            _ = try check(unsafe linux_bind_unix(channel.raw, path))
        } else {
            _ = try check(answer)
        }
        try UnixSocketFile.set(mode: 0o600, of: path)
        _ = try check(linux_listen(channel.raw, 4))
        return channel
    }

    /// Connects to a path.
    ///
    /// - Throws: `Errno.noSuchFileOrDirectory` or `.connectionRefused` when nobody listens there.
    public static func connect(toPath path: String) throws(Errno) -> DescriptorChannel {
        let channel = DescriptorChannel(Descriptor(owning: try check(linux_seqpacket())))
        _ = try check(unsafe linux_connect_unix(channel.raw, path))
        return channel
    }

    /// Takes the next who has come.
    public borrowing func accept() throws(Errno) -> DescriptorChannel {
        var address = linux_address()
        return DescriptorChannel(Descriptor(owning: try check(unsafe linux_accept(raw, &address))))
    }

    /// Two that are connected to one another: for this process, and for one that it starts.
    ///
    /// - Parameter second: becomes the second.
    /// - Returns: the first.
    public static func pair(_ second: inout DescriptorChannel?) throws(Errno) -> DescriptorChannel {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try check(unsafe linux_seqpacket_pair(&ends.0, &ends.1))
        second = DescriptorChannel(Descriptor(owning: ends.1))
        return DescriptorChannel(Descriptor(owning: ends.0))
    }

    /// Takes over an open descriptor that is such a socket.
    ///
    /// - Returns: `nil` when it is something else; it is closed then.
    public static func adopting(_ descriptor: consuming Descriptor) -> DescriptorChannel? {
        guard linux_is_seqpacket(descriptor.raw) == 1 else { return nil }
        _ = linux_set_close_on_exec(descriptor.raw)
        return DescriptorChannel(descriptor)
    }

    /// What a look at a channel finds.
    public enum Waiting: Sendable, Equatable {
        /// Nothing yet; the other end is open.
        case nothing
        /// A message, which stays there.
        case message
        /// The other end has no owner any more.
        case end
    }

    /// Looks whether a message waits, without taking it.
    public borrowing func peek() throws(Errno) -> Waiting {
        switch try check(linux_peek_message(raw)) {
        case 0: .nothing
        case 1: .message
        default: .end
        }
    }

    /// Who is at the other end. The corresponding option is `SO_PEERCRED`.
    public borrowing func peer() throws(Errno) -> Peer {
        var process: CInt = 0
        var user: CUnsignedInt = 0
        _ = try check(unsafe linux_peer_credentials(raw, &process, &user))
        return Peer(process: process, user: user)
    }

    /// Sends a text of at most 1024 bytes, and a duplicate of a descriptor with it, -1 for none.
    ///
    /// - Parameter milliseconds: how long to wait for room, 0 not at all.
    /// - Throws: `Errno.wouldBlock` when there is none.
    public borrowing func send(
        _ text: String, descriptor: CInt = -1, waiting milliseconds: CInt = 0
    ) throws(Errno) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.size else { throw .messageTooLong }
        let answer = unsafe bytes.withUnsafeBytes {
            unsafe linux_send_message(raw, $0.baseAddress, $0.count, descriptor)
        }
        if answer == -Errno.wouldBlock.rawValue, milliseconds > 0, linux_wait_writable(raw, milliseconds) > 0 {
            return try send(text, descriptor: descriptor)
        }
        _ = try check(answer)
    }

    /// Takes a message; `nil` at the end.
    ///
    /// - Parameter milliseconds: how long to wait for one, 0 not at all.
    /// - Throws: `Errno.timedOut` when none came; `.wouldBlock` when none is there.
    public borrowing func receive(waiting milliseconds: CInt = 0) throws(Errno) -> Message? {
        if milliseconds > 0, try check(linux_wait_readable(raw, milliseconds)) == 0 { throw .timedOut }
        var bytes = [UInt8](repeating: 0, count: Self.size)
        var taken: CInt = -1
        let raw = self.raw
        let count = Int(
            try check(
                unsafe bytes.withUnsafeMutableBytes {
                    unsafe linux_receive_message(raw, $0.baseAddress, $0.count, &taken)
                }))
        let descriptor = taken >= 0 ? Descriptor(owning: taken) : nil
        if count == 0 { return nil }
        return Message(text: String(decoding: bytes[..<count], as: UTF8.self), descriptor: descriptor)
    }
}
