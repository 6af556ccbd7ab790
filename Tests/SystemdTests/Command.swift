import Foundation

/// What a command answered.
struct CommandResult {
    let status: Int32
    let output: String
    let errors: String

    /// The output's lines, without the empty ones.
    var lines: [Substring] { output.split(separator: "\n") }
}

/// A command failed that a test relies on.
struct CommandFailure: Error, CustomStringConvertible {
    let command: [String]
    let result: CommandResult

    var description: String {
        "\(command.joined(separator: " ")): status \(result.status)\n\(result.output)\(result.errors)"
    }
}

/// Runs programs of this host, each bounded in time by timeout(1), which ends what they started too.
enum Command {
    /// The environment of everything that tests start: fixed, so that nothing of the developer's reaches it.
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb",
        "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0",
    ]

    /// The absolute path of `program`, when it is installed.
    static func path(of program: String) -> String? {
        (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a command to its end, or for `seconds` (then its status is 124).
    static func run(_ arguments: [String], seconds: Int = 60) throws -> CommandResult {
        let files = try (0..<2).map { _ in try TemporaryFile() }
        let process = try ChildProcess(
            ["/usr/bin/timeout", "--kill-after=5", "\(seconds)"] + arguments, environment: environment,
            output: files[0].handle.fileDescriptor, errors: files[1].handle.fileDescriptor)
        let status = process.wait()
        return CommandResult(
            status: status, output: try files[0].text(), errors: try files[1].text())
    }

    /// Runs a command that has to succeed.
    @discardableResult
    static func check(_ arguments: [String], seconds: Int = 60) throws -> CommandResult {
        let result = try run(arguments, seconds: seconds)
        guard result.status == 0 else { throw CommandFailure(command: arguments, result: result) }
        return result
    }
}

/// A file without a name, for a program's output: unlike a pipe it never fills up.
private final class TemporaryFile {
    let handle: FileHandle

    init() throws {
        let path = NSTemporaryDirectory() + "braid-output-" + UUID().uuidString
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        unlink(path)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func text() throws -> String {
        try handle.seek(toOffset: 0)
        return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    }
}
