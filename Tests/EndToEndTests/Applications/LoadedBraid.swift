import FoundationEssentials
import Lab

/// A Braid under load, whose log goes to a file: it drops records rather than wait for whoever reads them, and a busy
/// test reads late.
struct LoadedBraid {
    let process: HostProcess
    let host: Host
    private let log: String

    /// Starts it and waits until it is ready.
    ///
    /// - Parameters:
    ///   - name: Of its files.
    ///   - config: Its relays and limits.
    ///   - host: Where it runs.
    ///   - directory: Where its files are.
    init(_ name: String, _ config: String, in host: Host, directory: TemporaryDirectory) async throws {
        let file = try directory.write(config + "[daemon]\nlog-format = \"json\"\n", to: "\(name).toml")
        let log = directory.file("\(name).log")
        let process = try host.spawn(
            ["sh", "-c", "exec \"$0\" run --config \"$1\" 2> \"$2\"", BraidProgram.path, file, log],
            environment: ["BRAID_SOCKET": directory.file("\(name).sock")])
        self.process = process
        self.host = host
        self.log = log
        try await eventually("\(name) is ready") {
            if let exit = process.exit { throw LabError("start \(name)", detail: "\(exit.status)") }
            return try Self.text(log).contains("\"daemon-ready\"")
        }
    }

    private static func text(_ file: String) throws -> String {
        // The shell makes it just before Braid starts.
        FileManager.default.fileExists(atPath: file) ? try String(contentsOfFile: file, encoding: .utf8) : ""
    }

    /// How many connections' records it wrote, and the first of those that were not multipath or not closed in order.
    func records() throws -> (ended: Int, odd: String?) {
        let script = """
            grep -c '"connection-ended"' "$0"
            grep '"connection-ended"' "$0" | grep -v '"multipath":"yes".*"result":"closed"' | head -n 1
            """
        let lines = try host.run(["sh", "-c", script, log]).standardOutput.split(separator: "\n")
        return (lines.first.flatMap { Int($0) } ?? 0, lines.dropFirst().first.map(String.init))
    }

    /// How many descriptors it has open.
    func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
    }

    /// KiB of memory that it has resident.
    func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
    }
}
