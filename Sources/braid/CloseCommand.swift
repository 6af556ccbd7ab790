internal import AdminClient
internal import ArgumentParser

/// `braid close ID`: ends one connection.
struct CloseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "close", abstract: "End one connection: both of its sides are reset.",
        discussion: """
            Exit status: 0 ended; 1 there is no such connection; 64 wrong usage; 69 the daemon cannot be reached.
            """)

    @OptionGroup var admin: AdminOptions

    @Argument(help: ArgumentHelp("The connection's number, as braid connections shows it.", valueName: "id"))
    var connection: UInt64

    func run() throws {
        _ = try admin.ask("close") { client throws(AdminClientError) in
            try client.ask("DELETE", "/v1/connections/\(connection)")
        }
    }
}
