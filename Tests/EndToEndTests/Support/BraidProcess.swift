import FoundationEssentials
import Glibc
import KernelFiles
import Lab

/// A running `braid run` in a host of the lab, and its log.
///
/// The lab ends it; `stop()` ends it in order. Its log is JSON on standard error, whatever the configuration says of
/// other things: `start` adds the `[daemon]` section itself.
final class BraidProcess: Sendable {
    /// The process.
    let process: HostProcess
    /// Its configuration's directory; it goes with this object, and the daemon has read the file by then.
    let directory: TemporaryDirectory

    private init(process: HostProcess, directory: TemporaryDirectory) {
        self.process = process
        self.directory = directory
    }

    /// Starts the daemon and waits until every listener accepts.
    ///
    /// - Parameters:
    ///   - config: The configuration without `[daemon]`, which is put at its end (so that line numbers stay).
    ///   - host: Where it runs.
    ///   - daemon: Lines of `[daemon]` besides `log-format = "json"`.
    ///   - prefix: A command that runs it: `["prlimit", "--nofile=64"]`; it has to exec, not to fork.
    ///   - environment: Variables to set.
    ///   - descriptors: Descriptors it gets as 3, 4, ….
    ///   - arguments: What follows `braid run --config FILE`.
    static func start(
        _ config: String, in host: Host, daemon: String = "", prefix: [String] = [],
        environment: [String: String] = [:], descriptors: [Int32] = [], arguments: [String] = []
    ) async throws -> BraidProcess {
        let directory = try TemporaryDirectory()
        let file = try directory.write(config + "\n[daemon]\nlog-format = \"json\"\n" + daemon + "\n", to: "braid.toml")
        var variables = environment
        // Not the host's own, which all would share.
        if variables["BRAID_SOCKET"] == nil { variables["BRAID_SOCKET"] = directory.file("admin.sock") }
        let process = try host.spawn(
            prefix + [BraidProgram.path, "run", "--config", file] + arguments, environment: variables,
            descriptors: descriptors)
        let braid = BraidProcess(process: process, directory: directory)
        try await braid.record("daemon-ready")
        return braid
    }

    // MARK: Its log

    /// The records so far.
    var records: [LogRecord] { process.lines.compactMap { LogRecord($0) } }

    /// The records so far of one kind.
    func records(_ event: String) -> [LogRecord] { records.filter { $0.event == event } }

    /// Waits for a record; those already written count.
    ///
    /// - Parameters:
    ///   - timeout: How long at most.
    ///   - isWanted: Whether it is the one.
    /// - Throws: When the time is up, or the daemon has ended without it; with the last lines of its log.
    @discardableResult
    func record(timeout: Duration = .seconds(20), where isWanted: (LogRecord) -> Bool) async throws -> LogRecord {
        let deadline = ContinuousClock.now + timeout
        var looked = 0
        while true {
            let lines = process.lines
            if let found = lines[looked...].lazy.compactMap({ LogRecord($0) }).first(where: isWanted) {
                return found
            }
            looked = lines.count
            let left = max(.zero, deadline - .now)
            try await process.line(containing: "\"time\":", skipping: looked, timeout: left)
        }
    }

    /// Waits for the first record of a kind; those already written count.
    @discardableResult
    func record(_ event: String, timeout: Duration = .seconds(20)) async throws -> LogRecord {
        try await record(timeout: timeout) { $0.event == event }
    }

    /// Waits until `count` connections have ended, and answers their records, the oldest first.
    @discardableResult
    func connections(_ count: Int = 1, relay: String? = nil, timeout: Duration = .seconds(20)) async throws
        -> [LogRecord]
    {
        var seen = 0
        var found: [LogRecord] = []
        try await record(timeout: timeout) { record in
            guard record.event == "connection-ended", relay == nil || record["relay"] == relay else { return false }
            found.append(record)
            seen += 1
            return seen == count
        }
        return found
    }

    // MARK: Its admin socket

    /// The socket's path, unless the test gave another.
    var socket: String { directory.file("admin.sock") }

    // MARK: The process

    /// Its process id.
    var pid: Int32 { process.pid }

    /// Sends it a signal.
    func signal(_ signal: Int32) throws { try process.signal(signal) }

    /// Ends it in order, and waits until it has ended: at once when no connection is open, else after `drain-timeout`.
    @discardableResult
    func stop(timeout: Duration = .seconds(40)) async throws -> CommandOutput {
        try process.signal(SIGTERM)
        return try await process.finish(timeout: timeout)
    }

    /// Bytes of memory that it has resident.
    func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        for line in status.split(separator: "\n") where line.hasPrefix("VmRSS:") {
            return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
        }
        return 0
    }

    /// How many descriptors it has open.
    func openDescriptors() throws -> Int { try descriptorNumbers().count }

    /// The descriptors that it has open.
    func descriptorNumbers() throws -> Set<Int> {
        Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { Int($0) })
    }
}

extension BraidProcess {
    /// How often its threads have been woken so far: voluntary context switches.
    func contextSwitches() throws -> Int {
        var sum = 0
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") {
            guard let status = KernelFile.text("/proc/\(pid)/task/\(thread)/status") else { continue }
            for line in status.split(separator: "\n") where line.hasPrefix("voluntary_ctxt_switches:") {
                sum += line.split(separator: "\t").last.flatMap { Int($0) } ?? 0
            }
        }
        return sum
    }
}
