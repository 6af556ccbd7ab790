internal import Admin
internal import AdminClient
internal import ArgumentParser

/// `braid connections`: who is connected, and over which subflows.
struct ConnectionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connections", abstract: "List the open connections, each with its subflows.",
        discussion: "Exit status: 0 good; 64 wrong usage; 69 the daemon cannot be reached.")

    @OptionGroup var admin: AdminOptions

    @Flag(help: "Print one JSON document instead.")
    var json = false

    func run() throws {
        let body = try admin.ask("connections") { client throws(AdminClientError) in
            try client.ask("/v1/connections")
        }
        if json { return StandardOutput.write(document: body) }
        let views = try admin.ask("connections") { client throws(AdminClientError) in
            try client.decode([ConnectionView].self, body)
        }
        ConnectionsText.lines(views.sorted { $0.id < $1.id }, colour: StandardOutput.wantsColour)
            .forEach { StandardOutput.write($0) }
    }
}
