internal import CLinux
internal import TLS

/// Where the bytes of a side are read and written: its socket, or the TLS session on it. Both are the side's own; a channel is
/// not kept for longer than a call.
struct Channel {
    let raw: CInt
    let tls: TLSSession?

    /// Bytes have to be opened or sealed on their way, so they cannot stay in the kernel.
    var isSealed: Bool { tls != nil }

    /// Reads up to `count` bytes; answers as recv(2) does, errors as negative errno.
    ///
    /// - Parameter dry: takes only what TLS has read ahead.
    @inline(__always)
    func receive(_ bytes: UnsafeMutableRawPointer?, _ count: Int, dry: Bool = false) -> Int64 {
        if let tls { return unsafe tls.receive(bytes, count, dry: dry) }
        return unsafe linux_receive(raw, bytes, count)
    }

    /// Writes up to `count` bytes; answers as send(2) does, errors as negative errno.
    @inline(__always)
    func send(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int64 {
        if let tls { return unsafe tls.send(bytes, count) }
        return unsafe linux_send(raw, bytes, count, 0)
    }

    /// Says that no more will be sent: 0, or `-EAGAIN` when that has to be asked again. Whatever else goes wrong with it is
    /// told by the other direction.
    func finish() -> CInt {
        if let tls { return tls.finish() }
        return linux_shutdown(raw, CInt(LINUX_SHUT_WR))
    }
}
