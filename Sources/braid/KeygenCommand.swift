internal import ArgumentParser
internal import Credentials
internal import FoundationEssentials
internal import SystemPackage

/// `braid keygen`: a key for `key-file`.
struct KeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Write a new key for key-file.",
        discussion: """
            The same file belongs on both ends. To change keys without an interruption: add the new key to the far end's file \
            (--append) and reload it, put it in the place of the old one at the near ends and reload them, then remove the old \
            one from the far end's file and reload. The near end proves the first key of its file; the far end takes any.

            Exit status: 0 good; 64 wrong usage; 71 the file cannot be written.
            """)

    @Argument(
        help: ArgumentHelp("Where to write it, readable by its owner only; absent: standard output.", valueName: "file")
    )
    var file: String?

    @Flag(help: "Add the key to a file that is there already.")
    var append = false

    func validate() throws {
        if append, file == nil { throw ValidationError("--append needs a file") }
    }

    func run() throws {
        let key = KeyFile.newLine()
        guard let file else { return StandardOutput.write(key) }
        var text = ""
        if append {
            do {
                text = try String(contentsOfFile: file, encoding: .utf8)
            } catch {
                StandardError.write("error: \(file) cannot be read: \(error)")
                throw ExitCode.systemRefused
            }
            if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        }
        guard let error = SecretFile.write(text + key + "\n", to: file, replacing: append) else { return }
        StandardError.write(
            "error: \(file) cannot be written: \(error)\(error == .fileExists ? "; --append adds a key to it" : "")")
        throw ExitCode.systemRefused
    }
}
