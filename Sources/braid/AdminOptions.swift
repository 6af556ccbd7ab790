internal import AdminClient
internal import ArgumentParser
internal import CLinux
internal import Configuration
internal import LinuxSystem

/// What every command has that talks to the daemon.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The daemon's admin socket; default: $BRAID_SOCKET, $RUNTIME_DIRECTORY/admin.sock, /run/braid/admin.sock.",
            valueName: "path"),
        completion: .file())
    var socket: String?

    /// The daemon.
    var client: AdminClient {
        AdminClient(path: socket ?? AdminSettings.defaultSocket(environment: ThisProcess.environment))
    }

    /// Runs a command's questions; an error is told, and is the exit status.
    func ask<Answer>(_ command: String, _ body: (AdminClient) throws(AdminClientError) -> Answer) throws -> Answer {
        do throws(AdminClientError) {
            return try body(client)
        } catch {
            StandardError.write("braid \(command): \(error)")
            switch error {
            case .unreachable, .malformed: throw ExitCode.unavailable
            case .terminal: throw ExitCode.systemRefused
            case .notFound, .refused: throw ExitCode.no
            }
        }
    }
}

extension StandardOutput {
    /// Colours are for a terminal only, and never against NO_COLOR (no-color.org).
    static var wantsColour: Bool {
        let environment = ThisProcess.environment
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return !refused && environment["TERM"] != "dumb" && linux_is_terminal(1)
    }

    /// Writes a document that ends with a line end already.
    static func write(document: [UInt8]) {
        write(
            String(decoding: document.last == UInt8(ascii: "\n") ? document.dropLast() : document[...], as: UTF8.self))
    }
}
