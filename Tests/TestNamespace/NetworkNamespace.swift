import CNamespace
import Glibc
import LinuxSystem
import SystemPackage

/// A network namespace of a test's own, with nothing but `lo` in it.
public enum NetworkNamespace {
    /// Runs `body` with this thread inside a new namespace and brings the thread back afterwards. `body` must not suspend.
    public static func run<Result>(_ body: () throws -> Result) throws -> Result {
        try inAnother {
            namespace_enter_new()
        } body: {
            try shell("ip link set lo up")
            return try body()
        }
    }

    /// Runs `body` with this thread inside the namespace of a descriptor and brings the thread back afterwards. `body` must
    /// not suspend. Unlike in a thread of its own, what `body` expects is counted as its test's.
    public static func run<Result>(inside descriptor: CInt, _ body: () throws -> Result) throws -> Result {
        try inAnother({ namespace_enter(descriptor) }, body: body)
    }

    private static func inAnother<Result>(_ enter: () -> CInt, body: () throws -> Result) throws -> Result {
        let home = try check(namespace_current())
        defer {
            // A thread of the pool that stays in the wrong namespace would make other tests fail at random.
            let answer = namespace_return(home)
            precondition(answer == 0, "setns: \(Errno(rawValue: -answer))")
        }
        _ = try check(enter())
        return try body()
    }

    /// Runs `body` with no capability in effect on this thread, as an unprivileged user would. `body` must not suspend.
    public static func withoutCapabilities<Result>(_ body: () throws -> Result) throws -> Result {
        _ = try check(namespace_capabilities(0))
        defer {
            let answer = namespace_capabilities(1)
            precondition(answer == 0, "capset: \(Errno(rawValue: -answer))")
        }
        return try body()
    }

    /// Runs a command in this thread's namespace.
    public static func shell(_ command: String) throws {
        let status = system("exec 2>/dev/null; " + command)
        guard status == 0 else { throw CommandFailed(command: command, status: status) }
    }

    /// Sets a `net.` sysctl of this thread's namespace; the name with slashes, without `net`.
    public static func set(_ name: String, _ value: String) throws {
        try shell("echo \(value) > /proc/sys/net/\(name)")
    }

    /// A command that did not succeed.
    public struct CommandFailed: Error {
        /// The command.
        public let command: String
        /// What system(3) answered.
        public let status: CInt
    }
}
