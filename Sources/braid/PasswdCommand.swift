internal import ArgumentParser
internal import CLinux
internal import Credentials
internal import FoundationEssentials

/// `braid passwd FILE USER`: a user of `users-file`.
struct PasswdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd",
        abstract: "Add a user to a users-file, or change a password.",
        discussion: """
            Asks for the password twice at a terminal, and else reads it from the first line of standard input. The file holds \
            a yescrypt hash of it (crypt(5)) and no password.

            Exit status: 0 good; 64 wrong usage; 71 the file cannot be written.
            """)

    @Argument(help: ArgumentHelp("The users-file; made if it is not there.", valueName: "file"))
    var file: String

    @Argument(help: ArgumentHelp("The user's name.", valueName: "user"))
    var user: String

    func validate() throws {
        guard (1...255).contains(user.utf8.count), !user.hasPrefix("#"),
            user.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: ":") && $0 != 0x7F })
        else {
            throw ValidationError(
                "a user's name has 1 to 255 bytes, without colon and space, and does not begin with #")
        }
    }

    func run() throws {
        let password = try askedPassword()
        var text = ""
        if FileManager.default.fileExists(atPath: file) {
            do {
                text = try String(contentsOfFile: file, encoding: .utf8)
            } catch {
                StandardError.write("error: \(file) cannot be read: \(error)")
                throw ExitCode.systemRefused
            }
        }
        do throws(CredentialError) {
            text = UsersFile.text(text, setting: user, to: try PasswordHash.make(password))
        } catch {
            StandardError.write("error: \(error)")
            throw ExitCode(64)
        }
        if let error = SecretFile.write(text, to: file, replacing: true) {
            StandardError.write("error: \(file) cannot be written: \(error)")
            throw ExitCode.systemRefused
        }
    }

    private func askedPassword() throws -> [UInt8] {
        guard linux_is_terminal(0) else { return try line("") }
        let first = try line("Password for \(user): ")
        guard try line("Again: ") == first else {
            StandardError.write("error: the two are not the same")
            throw ExitCode(64)
        }
        return first
    }

    private func line(_ prompt: String) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe linux_read_secret(prompt, $0.baseAddress, $0.count) }
        guard count >= 0 else {
            StandardError.write("error: no password was read")
            throw ExitCode(64)
        }
        return Array(buffer[..<Int(count)])
    }
}
