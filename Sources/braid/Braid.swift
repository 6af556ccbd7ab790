internal import ArgumentParser

/// The `braid` command.
@main
struct Braid: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "braid",
        abstract: "A multipath TCP proxy: plain TCP at one end, several links at once in between.",
        discussion: """
            The near end accepts plain TCP and dials the far end over MPTCP; the far end accepts MPTCP and dials plain TCP. \
            What this process is, its configuration says: see Config/near.toml and Config/far.toml.
            """,
        version: "braid \(Version.text)",
        subcommands: [
            RunCommand.self, CheckCommand.self, StatusCommand.self, ConnectionsCommand.self, PathsCommand.self,
            CloseCommand.self, LinkCommand.self, DrainCommand.self, TopCommand.self, ProbeCommand.self,
            EchoCommand.self,
            DoctorCommand.self,
            KeygenCommand.self, PasswdCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            // ArgumentParser's own exit status for a usage error is 64 already (sysexits EX_USAGE).
            exit(withError: error)
        }
    }
}
