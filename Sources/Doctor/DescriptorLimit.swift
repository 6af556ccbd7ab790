internal import LinuxSystem

/// The limit of open descriptors.
enum DescriptorLimit {
    /// The hard limit, to which the daemon raises its own. getrlimit(2).
    static var hard: Int { (try? ThisProcess.raiseDescriptorLimit()) ?? 0 }
}
