internal import AdminClient
internal import ArgumentParser
internal import LinuxSystem

/// `braid top`: links, relays and connections, live.
struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch links, relays and the busiest connections, live.",
        discussion: """
            Needs a terminal; q quits. For scripts there are braid status --json and braid connections --json.

            Exit status: 0 good; 64 wrong usage, or no terminal; 69 the daemon cannot be reached.
            """)

    @OptionGroup var admin: AdminOptions

    func run() throws {
        guard Terminal.isThere else {
            StandardError.write("braid top: needs a terminal; for scripts there is braid status --json")
            throw ExitCode.validationFailure
        }
        let environment = ThisProcess.environment
        let locale =
            [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]]
            .compactMap { $0 }.first { !$0.isEmpty } ?? ""
        let encoding = locale.uppercased()
        let isUnicode = encoding.hasSuffix("UTF-8") || encoding.hasSuffix("UTF8")
        try admin.ask("top") { client throws(AdminClientError) in
            var top = Top(client, colour: StandardOutput.wantsColour, isUnicode: isUnicode)
            try top.run()
        }
    }
}
