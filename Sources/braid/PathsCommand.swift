internal import Admin
internal import AdminClient
internal import ArgumentParser

/// `braid paths`: links, and the kernel's endpoints and limits.
struct PathsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "paths", abstract: "Show links and their state, and the kernel's MPTCP endpoints and limits.",
        discussion: "Exit status: 0 good; 64 wrong usage; 69 the daemon cannot be reached.")

    @OptionGroup var admin: AdminOptions

    @Flag(help: "Print one JSON document instead.")
    var json = false

    func run() throws {
        let body = try admin.ask("paths") { client throws(AdminClientError) in try client.ask("/v1/paths") }
        if json { return StandardOutput.write(document: body) }
        let view = try admin.ask("paths") { client throws(AdminClientError) in
            try client.decode(PathsView.self, body)
        }
        view.lines(colour: StandardOutput.wantsColour).forEach { StandardOutput.write($0) }
    }
}
