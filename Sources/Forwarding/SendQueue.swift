internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// How much the kernel may hold of what is written to MPTCP sockets and not acknowledged: `SO_SNDBUF`, socket(7). It bounds the
/// connection as a whole, and each of its subflows.
struct SendQueue {
    /// What the kernel lets a subflow grow to by itself, in bytes of its memory; 0: what is queued is the kernel's affair.
    private(set) var largest: UInt64 = 0
    private var settable: UInt64 = 0
    /// `SO_SNDBUFFORCE` works: with `CAP_NET_ADMIN` in the system's first user namespace.
    private var isPrivileged = true

    /// Sets bounds from now on.
    ///
    /// - Parameters:
    ///   - largest: what the kernel lets a subflow grow to.
    ///   - settable: what may be set without privilege.
    mutating func begin(largest: UInt64, settable: UInt64) {
        self.largest = largest
        self.settable = settable
    }

    /// The most that can be set for a connection with so many subflows.
    func most(_ subflows: UInt64) -> UInt64 { isPrivileged ? largest * subflows : min(largest * subflows, settable) }

    /// The bound in force; 0 when the kernel does not say.
    func bound(_ raw: CInt) -> UInt64 { UInt64(max(0, Self.option(raw, CInt(LINUX_SO_SNDBUF)))) }

    /// Somebody has set it: the kernel does not adjust it any more.
    func isFixed(_ raw: CInt) -> Bool { Self.option(raw, CInt(LINUX_SO_BUF_LOCK)) & 1 != 0 }

    /// Sets it.
    mutating func set(_ raw: CInt, _ bytes: UInt64) throws(Errno) {
        // The kernel doubles it, for what it needs beside the data.
        let value = CInt(clamping: bytes / 2)
        if isPrivileged {
            do throws(Errno) {
                return try Self.set(raw, CInt(LINUX_SO_SNDBUFFORCE), value)
            } catch .notPermitted {
                isPrivileged = false
                // What is set cannot be unset: a link that becomes faster must not be held to it.
                if settable < largest { largest = 0 }
            }
        }
        if largest > 0 { try Self.set(raw, CInt(LINUX_SO_SNDBUF), CInt(clamping: min(bytes, settable) / 2)) }
    }

    private static func set(_ raw: CInt, _ name: CInt, _ value: CInt) throws(Errno) {
        _ = try check(linux_set_option(raw, CInt(LINUX_SOL_SOCKET), name, value))
    }

    private static func option(_ raw: CInt, _ name: CInt) -> CInt {
        var value: CInt = 0
        guard unsafe linux_get_option(raw, CInt(LINUX_SOL_SOCKET), name, &value) >= 0 else { return 0 }
        return value
    }
}
