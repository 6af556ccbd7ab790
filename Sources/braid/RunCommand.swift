internal import ArgumentParser
internal import Configuration
internal import Daemon

/// `braid run`: the daemon, in the foreground.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs the daemon in the foreground, as the systemd unit does.")

    @OptionGroup var configurationFile: ConfigurationOption

    @Flag(
        help: ArgumentHelp(
            "Take the listening sockets of the running daemon over, without refusing a client.",
            discussion: "The running daemon, found beside its admin socket, then finishes its connections and ends."))
    var takeover = false

    func run() throws {
        let settings = try configurationFile.load()
        var supervisor: Supervisor
        do throws(StartError) {
            supervisor = try Supervisor.start(
                settings, file: configurationFile.file, version: Version.text, takesOver: takeover)
        } catch {
            StandardError.write(error.description)
            throw ExitCode.systemRefused
        }
        if !supervisor.run() { throw ExitCode.systemRefused }
    }
}
