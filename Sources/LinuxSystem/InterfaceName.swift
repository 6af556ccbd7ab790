internal import CLinux

/// Names of network interfaces.
public enum InterfaceName {
    /// The name of an interface; nil when there is none of that index. The corresponding function is `if_indextoname`.
    public static func of(index: UInt32) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
            guard let start = buffer.baseAddress, unsafe linux_interface_name(index, start) == 0 else { return nil }
            return unsafe String(cString: start)
        }
    }
}
