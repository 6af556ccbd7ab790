import FoundationEssentials
import Lab

/// The built `braid`, and running it to its end.
enum BraidProgram {
    /// Where it is: `BRAID_BINARY` names it, or it lies beside this test program.
    static let path: String = {
        if let named = ProcessInfo.processInfo.environment["BRAID_BINARY"], !named.isEmpty {
            return URL(fileURLWithPath: named).standardizedFileURL.path
        }
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appendingPathComponent("braid").path
    }()

    /// Runs the program and waits until it has ended, whatever its exit status.
    ///
    /// - Parameters:
    ///   - arguments: What follows `braid`.
    ///   - host: Where.
    ///   - prefix: A command that runs it: `["prlimit", "--nofile=64"]`.
    static func run(
        _ arguments: [String], in host: Host, prefix: [String] = [], environment: [String: String] = [:],
        timeout: Duration = .seconds(20)
    ) throws -> CommandOutput {
        try host.run(prefix + [path] + arguments, environment: environment, expecting: nil, timeout: timeout)
    }

    /// Runs `braid run` or `braid check` on a configuration that it is expected to refuse.
    ///
    /// - Returns: Its exit status and messages; the file is called `braid.toml` in them, whatever its directory.
    static func refusal(
        _ command: String = "run", config: String, in host: Host, prefix: [String] = []
    ) throws -> (status: ProcessExit.Status, message: String) {
        let directory = try TemporaryDirectory()
        let file = try directory.write(config, to: "braid.toml")
        let output = try run([command, "--config", file], in: host, prefix: prefix)
        return (output.status, output.standardError.replacing(directory.path + "/", with: ""))
    }
}
