internal import CLinux
internal import LinuxSystem
public import SystemPackage

/// Reads the subflows of many connections, one after the other, into the same memory: what the data plane uses, since only
/// its creation allocates.
///
/// Owned and used by one thread.
@safe
public struct SubflowReader: ~Copyable {
    // Allocated once and freed with this value, which nothing copies; entries at or after `count` are never read.
    private let entries: UnsafeMutableBufferPointer<linux_subflow>
    /// How many subflows the last `read` put here.
    public private(set) var count = 0
    /// How many the connection had, which may be more than fit here.
    public private(set) var total = 0
    /// What the last `read` learned about the connection as a whole; `nil` when it is not multipath, or the kernel is older
    /// than 6.5 (then ask `MultipathInfo.of`).
    public private(set) var info: MultipathInfo?

    /// - Parameter capacity: how many subflows of one connection to read at most (at least 1, at most 64).
    public init(capacity: Int = 16) {
        unsafe entries = .allocate(capacity: min(max(1, capacity), Int(LINUX_SUBFLOWS_MAX)))
        unsafe entries.initialize(repeating: linux_subflow())
    }

    deinit {
        unsafe entries.deallocate()
    }

    /// Reads all subflows of a connection. The corresponding options are `MPTCP_FULL_INFO`, on kernels before 6.5
    /// `MPTCP_TCPINFO` with `MPTCP_SUBFLOW_ADDRS`, and `TCP_INFO` on a connection that is not multipath.
    ///
    /// - Returns: how many are here to be read by index.
    /// - Throws: `Errno.socketNotConnected` when it is not connected, `.notSupportedOnSocket` and its like when it is not TCP.
    @discardableResult
    public mutating func read(_ raw: CInt) throws(Errno) -> Int {
        info = nil
        var full = linux_mptcp_info()
        var length: UInt32 = 0
        let answer = unsafe linux_mptcp_full_info(raw, &full, &length, entries.baseAddress, UInt32(entries.count))
        guard answer >= 0 else { return try readOlder(raw) }
        info = MultipathInfo(full, length: Int(length))
        return filled(answer)
    }

    /// What is left on a kernel without `MPTCP_FULL_INFO`, or without multipath.
    mutating func readOlder(_ raw: CInt) throws(Errno) -> Int {
        info = nil
        _ = filled(0)
        let answer = unsafe linux_mptcp_subflow_arrays(raw, entries.baseAddress, UInt32(entries.count))
        if answer >= 0 { return filled(answer) }
        _ = try check(unsafe linux_tcp_as_subflow(raw, entries.baseAddress))
        return filled(1)
    }

    private mutating func filled(_ answer: CInt) -> Int {
        total = Int(answer)
        count = min(total, unsafe entries.count)
        return count
    }

    /// The subflow at `index` of the last `read`.
    public subscript(index: Int) -> Subflow {
        precondition(index >= 0 && index < count, "no such subflow")
        return unsafe Subflow(entries[index])
    }
}
