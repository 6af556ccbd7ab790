internal import ArgumentParser
internal import CLinux
internal import Configuration
internal import Doctor
internal import LinuxSystem
internal import Probe

/// `braid doctor`: what keeps multipath from working, and the commands that mend it.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Examine this host, and the way to HOST:PORT, for everything that keeps multipath from working.",
        discussion: """
            One line a check: PASS, WARN or FAIL. Under a WARN or FAIL is what mends it: "fix:" a command that mends it now, \
            "keep:" one that keeps it so after a reboot, "do:" what needs a person. With HOST:PORT, connections are made \
            through each link alone; a line of text is sent to the peer, which `braid echo` gives back.

            It needs no rights, but sees more with them: firewall rules, other users' processes.

            Exit status: 0 nothing failed; 1 something did; 64 wrong usage; 78 the configuration is wrong.
            """)

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file; without it /etc/braid/braid.toml, if there is one.", valueName: "file"),
        completion: .file(extensions: ["toml"]))
    var file: String?

    @Flag(help: "Print one JSON document instead.")
    var json = false

    @Argument(help: ArgumentHelp("A peer, such as the far end's listener or a `braid echo`.", valueName: "host:port"))
    var target: String?

    func validate() throws {
        guard let target, HostAndPort(target) == nil else { return }
        throw ValidationError("'\(target)' is not HOST:PORT (an IPv6 address goes in brackets: [2001:db8::1]:7143)")
    }

    func run() throws {
        let signals = try StopSignals.descriptor()
        let peer = target.flatMap { HostAndPort($0) }.map { Doctor.Target(host: $0.host, port: $0.port) }
        let report = Doctor.examine(settings: try settings(), target: peer, cancellation: signals.descriptor.raw)
        if json {
            StandardOutput.write(report.json)
        } else {
            report.lines(colour: StandardOutput.wantsColour).forEach { StandardOutput.write($0) }
            StandardOutput.write(report.summary)
        }
        if report.hasFailure { throw ExitCode.no }
    }

    private func settings() throws -> Settings? {
        var option = ConfigurationOption()
        if let file {
            option.file = file
        } else {
            option.file = "/etc/braid/braid.toml"
            guard unsafe linux_file_is_readable(option.file) else { return nil }
        }
        return try option.load()
    }
}
