import CLab

/// How a process ended and what it cost.
public struct ProcessExit: Hashable, Sendable {
    /// How it ended.
    public enum Status: Hashable, Sendable, CustomStringConvertible {
        /// By itself, with this exit status.
        case exited(Int32)
        /// By this signal.
        case signalled(Int32)

        /// In words.
        public var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let signal): "signal \(signal)"
            }
        }
    }

    /// How it ended.
    public var status: Status
    /// Processor time in user space, of it and of those of its children that it waited for.
    public var userTime: Duration
    /// Processor time in the kernel, likewise.
    public var systemTime: Duration
    /// The most memory it had resident, in bytes.
    public var maximumResident: Int

    init(_ exit: clab_exit) {
        status = exit.exited ? .exited(exit.status) : .signalled(exit.signal)
        userTime = .microseconds(exit.user_us)
        systemTime = .microseconds(exit.system_us)
        maximumResident = Int(exit.max_rss) * 1024
    }
}

/// What a command that has ended said.
public struct CommandOutput: Sendable {
    /// How it ended and what it cost.
    public var exit: ProcessExit
    /// What it wrote to its standard output.
    public var standardOutput: String
    /// What it wrote to its standard error.
    public var standardError: String
    /// How it ended.
    public var status: ProcessExit.Status { exit.status }
}
