internal import CLinux
public import SystemPackage

/// Moves bytes between a pipe and a socket without a copy in this process. splice(2).
public enum Splice {
    /// - Parameters:
    ///   - source: a socket or the read end of a pipe.
    ///   - destination: the write end of a pipe or a socket.
    ///   - count: at most so many bytes.
    ///   - more: more follows at once (`SPLICE_F_MORE`).
    /// - Returns: bytes moved; 0 is the end of the stream.
    /// - Throws: `Errno.wouldBlock` when the source is empty *or* the destination full: only the caller can know which.
    @inline(__always)
    public static func move(from source: CInt, to destination: CInt, count: Int, more: Bool) throws(Errno) -> Int {
        try check(linux_splice(source, destination, count, more ? 1 : 0))
    }
}
