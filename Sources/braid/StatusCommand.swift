internal import Admin
internal import AdminClient
internal import ArgumentParser

/// `braid status`: what the daemon does.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the running daemon's relays, their counters, and links.",
        discussion: "Exit status: 0 good; 64 wrong usage; 69 the daemon cannot be reached.")

    @OptionGroup var admin: AdminOptions

    @Flag(help: "Print one JSON document instead.")
    var json = false

    func run() throws {
        let body = try admin.ask("status") { client throws(AdminClientError) in try client.ask("/v1/status") }
        if json { return StandardOutput.write(document: body) }
        let view = try admin.ask("status") { client throws(AdminClientError) in
            try client.decode(StatusView.self, body)
        }
        view.lines(colour: StandardOutput.wantsColour).forEach { StandardOutput.write($0) }
    }
}
