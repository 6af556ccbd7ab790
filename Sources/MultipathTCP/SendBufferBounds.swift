internal import LinuxSystem
public import SystemPackage

/// What this thread's network namespace lets a TCP socket hold that its peer has not acknowledged, in bytes of kernel memory.
public struct SendBufferBounds: Sendable, Hashable {
    /// The most that the kernel lets a connection, or a subflow, grow to by itself: the third number of `tcp_wmem`, tcp(7).
    public let largest: Int
    /// The most that anybody may set by `SO_SNDBUF`, socket(7): twice `net.core.wmem_max`.
    public let settable: Int

    /// Reads `/proc/sys/net`. Where `wmem_max` is not shown, as in network namespaces of older kernels, it is what those begin with.
    ///
    /// - Throws: `Errno` when `tcp_wmem` cannot be read; `.invalidArgument` when there are not three numbers in it.
    public static func read() throws(Errno) -> SendBufferBounds {
        let buffers = try numbers("/proc/sys/net/ipv4/tcp_wmem")
        guard buffers.count == 3 else { throw .invalidArgument }
        let settable = (try? numbers("/proc/sys/net/core/wmem_max").first) ?? 212_992
        return SendBufferBounds(largest: buffers[2], settable: 2 * settable)
    }

    private static func numbers(_ path: String) throws(Errno) -> [Int] {
        String(decoding: try FileContents.read(path), as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .compactMap { Int($0) }
    }
}
