internal import CLinux
public import SystemPackage

/// A non-blocking pipe, used as a carrier between sockets. pipe(7).
public struct Pipe: ~Copyable, Sendable {
    /// Where bytes come out.
    public let readEnd: Descriptor
    /// Where bytes go in.
    public let writeEnd: Descriptor
    /// How many bytes it holds at most (in pages, so short pieces fill it earlier).
    public private(set) var capacity: Int

    /// A pipe of the size wanted, or of the size that the kernel grants: an unprivileged user's pipes together are bounded
    /// by `fs.pipe-user-pages-soft`.
    ///
    /// - Throws: `Errno.tooManyOpenFiles` and its like, when there is no pipe at all.
    public init(capacity wanted: Int) throws(Errno) {
        var ends: (CInt, CInt) = (-1, -1)
        _ = try check(unsafe linux_pipe(&ends.0, &ends.1))
        readEnd = Descriptor(owning: ends.0)
        writeEnd = Descriptor(owning: ends.1)
        let granted = linux_pipe_resize(ends.0, CInt(clamping: wanted))
        capacity = Int(granted > 0 ? granted : max(4096, linux_pipe_size(ends.0)))
    }
}
