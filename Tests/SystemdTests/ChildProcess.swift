import Glibc
import LinuxSystem
import SystemPackage

/// A program of this host, started with posix_spawn(3).
///
/// Not Foundation's `Process`, whose wait for the end hangs now and then on Linux and needs a loopback interface.
final class ChildProcess {
    let id: pid_t
    private var exit: Int32?
    private var lifeline: Pipe?

    /// Starts the program at the path `arguments[0]`, its output going to `output` and `errors`.
    ///
    /// - Parameter lifeline: whether its standard input is a pipe that never brings anything and ends with this process,
    ///   so that a script can clean up after a test run that was killed. Otherwise there is nothing to read.
    init(
        _ arguments: [String], environment: [String: String], output: CInt, errors: CInt, lifeline: Bool = false
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if lifeline {
            let pipe = try Pipe(capacity: 4096)
            guard fcntl(pipe.readEnd.raw, F_SETFL, 0) == 0 else { throw Errno(rawValue: errno) }
            posix_spawn_file_actions_adddup2(&actions, pipe.readEnd.raw, 0)
            self.lifeline = consume pipe
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // Signals as a shell would start it with, whatever this process or a library does with them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))

        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var id = pid_t()
        let answer = posix_spawn(&id, arguments[0], &actions, &attributes, &argv, &envp)
        guard answer == 0 else { throw Errno(rawValue: answer) }
        self.id = id
    }

    deinit {
        guard exit == nil else { return }
        kill(id, SIGKILL)
        _ = wait()
    }

    /// Whether it has not ended yet.
    var isRunning: Bool {
        guard exit == nil else { return false }
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return true }
        exit = Self.exitStatus(status)
        return false
    }

    /// Waits for its end and answers its exit status, or 128 and the signal's number as a shell does.
    func wait() -> Int32 {
        while exit == nil {
            var status: Int32 = 0
            let ended = waitpid(id, &status, 0)
            if ended == id { exit = Self.exitStatus(status) } else if errno != EINTR { exit = -1 }
        }
        return exit ?? -1
    }

    /// Sends it a signal, unless it has ended.
    func signal(_ signal: Int32) {
        if exit == nil { kill(id, signal) }
    }

    private static func exitStatus(_ status: Int32) -> Int32 {
        status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
