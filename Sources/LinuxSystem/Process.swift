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
    /// The program that it runs, as an absolute path; `nil` when that cannot be told. To be asked at the start: the file may
    /// be replaced later.
    public static var program: String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4097) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let length = Int(unsafe linux_program_path(start, 4096))
            guard length > 0 else { return nil }
            unsafe buffer[length] = 0
            return unsafe String(cString: start)
        }
    }

    /// Starts a program as a sibling of this process: its parent is this one's own, which so hears of its end.
    ///
    /// - Parameters:
    ///   - path: the program.
    ///   - arguments: what follows its name.
    ///   - environment: all of it.
    ///   - descriptor: becomes 3 there; it has standard input, output and error besides, and nothing else.
    /// - Returns: its process id.
    /// - Throws: `Errno.invalidArgument` when this is the first process of its process namespace; those of `execve`.
    public static func startSibling(
        _ path: String, _ arguments: [String], environment: [String: String], descriptor: CInt
    ) throws(Errno) -> Int32 {
        func packed(_ strings: [String]) -> [CChar] { strings.flatMap { $0.utf8CString } }
        let words = packed([path] + arguments)
        let variables = packed(environment.map { "\($0.key)=\($0.value)" })
        return try check(
            unsafe words.withUnsafeBufferPointer { words in
                unsafe variables.withUnsafeBufferPointer { variables in
                    unsafe linux_start_sibling(
                        path, words.baseAddress, UInt32(arguments.count + 1), variables.baseAddress,
                        UInt32(environment.count), descriptor)
                }
            })
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
