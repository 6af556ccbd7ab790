internal import Admin
internal import AdminClient
internal import ArgumentParser

/// `braid drain RELAY ADDRESS`: takes an upstream out for maintenance.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Send an upstream no new connections; open ones go on.",
        discussion: """
            It lasts until --undo, or until the daemon ends; a reload changes nothing about it. braid status shows how many \
            connections are left.

            Exit status: 0 changed; 1 there is no such relay or upstream; 64 wrong usage; 69 the daemon cannot be reached.
            """)

    @OptionGroup var admin: AdminOptions

    @Argument(help: "The relay's name.")
    var relay: String

    @Argument(help: "The upstream, as braid status shows it.")
    var address: String

    @Flag(help: "Send it new connections again.")
    var undo = false

    func run() throws {
        let upstream = try admin.ask("drain") { client throws(AdminClientError) in
            try client.change(upstreamOf: relay, UpstreamChange(address: address, draining: !undo))
        }
        StandardOutput.write(upstream.line)
    }
}
