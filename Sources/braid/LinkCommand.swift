internal import Admin
internal import AdminClient
internal import ArgumentParser

/// `braid link NAME`: changes a link's role until the daemon is restarted.
struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Change a link's role in the running daemon.",
        discussion: """
            Exit status: 0 changed; 1 there is no such link, or it could not be changed; 64 wrong usage; 69 the daemon \
            cannot be reached.
            """)

    @OptionGroup var admin: AdminOptions

    @Argument(help: "The link's name, as braid paths shows it.")
    var name: String

    @Flag(inversion: .prefixedNo, help: "Carry data over it only while no other link works, or again always.")
    var backup: Bool?

    @Flag(help: "Use the link again.")
    var up = false

    @Flag(help: "Do not use the link.")
    var down = false

    func validate() throws {
        if up, down { throw ValidationError("--up and --down exclude one another") }
        if backup == nil, !up, !down { throw ValidationError("give --backup, --no-backup, --down or --up") }
    }

    func run() throws {
        let change = LinkRoleChange(backup: backup, up: up ? true : down ? false : nil)
        let link = try admin.ask("link") { client throws(AdminClientError) in
            try client.change(link: name, change)
        }
        StandardOutput.write(link.line)
    }
}
