internal import CLinux
public import SystemPackage

/// Facts about this process and its limits.
public enum ThisProcess {
    /// The process id.
    public static var id: Int { Int(linux_process_id()) }

    /// How many processors it may use. sched_getaffinity(2).
    public static var usableProcessors: Int { max(1, Int(linux_usable_processors())) }

    /// Whether it may configure the network (`CAP_NET_ADMIN`, capabilities(7)).
    public static var hasNetworkAdministration: Bool { linux_has_capability(12) }

    /// Whether it may bind ports below 1024 (`CAP_NET_BIND_SERVICE`).
    public static var hasPrivilegedPorts: Bool { linux_has_capability(10) }

    /// The effective user.
    public static var effectiveUser: UInt32 { linux_effective_user() }

    /// The kernel's release, as `uname -r` prints it.
    public static var kernelRelease: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 96) { buffer in
            guard let start = buffer.baseAddress, unsafe linux_kernel_release(start, 96) == 0 else { return "unknown" }
            return unsafe String(cString: start)
        }
    }

    /// This host's name, as `uname -n` prints it; empty when it has none.
    public static var hostName: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 96) { buffer in
            guard let start = buffer.baseAddress, unsafe linux_host_name(start, 96) == 0 else { return "" }
            return unsafe String(cString: start)
        }
    }

    /// Raises the soft limit of open descriptors to the hard one and answers it. getrlimit(2).
    public static func raiseDescriptorLimit() throws(Errno) -> Int {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        _ = try check(unsafe linux_descriptor_limit(&soft, &hard))
        if soft < hard {
            _ = try check(linux_set_descriptor_limit(hard))
        }
        return Int(clamping: hard)
    }
}

extension ThisProcess {
    /// The environment as it is now. environ(7). To be read before other threads run.
    public static var environment: [String: String] {
        var variables: [String: String] = [:]
        var index: UInt32 = 0
        while let entry = unsafe linux_environment_entry(index) {
            let text = unsafe String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            index += 1
        }
        return variables
    }
}
