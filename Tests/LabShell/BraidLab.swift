import ArgumentParser
import Glibc
import Lab

/// A shell in a lab of two hosts, for developers: `make lab`.
@main
struct BraidLab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "braid-lab",
        abstract: "Two network hosts, near and far, with emulated links between them.",
        discussion: """
            Makes the hosts (network namespaces) and links, sets MPTCP up over all links, and starts a shell, or the \
            given command, in host near. There, `lab` shows and changes the links and runs commands in host far; \
            `lab help` lists what it can do. Everything vanishes when the shell ends.

            braid-lab --links 2 --rate 50mbit --delay 10ms --loss 1% --queue 64k [-- COMMAND…]; \
            `braid-lab help shell` says more about these.

            Needs root or, as an ordinary user, a system that allows user namespaces.
            """,
        subcommands: [Shell.self, Control.self],
        defaultSubcommand: Shell.self)
}

/// `braid-lab shell`: the lab itself.
struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Make the lab and run a shell, or a command, in host near.")

    @Option(help: "How many links (1 to 8): lte, wifi, link3, …")
    var links = 2

    @Option(help: "The rate of each link, each way: 50mbit, 500kbit, 1gbit, unlimited.")
    var rate = "50mbit"

    @Option(help: "How long a packet travels over a link, one way: 10ms, 500us.")
    var delay = "10ms"

    @Option(help: "What fraction of the packets a link loses: 0.01, 1%.")
    var loss = "0"

    @Option(help: "How many bytes may wait to be sent: 64k, 2m; default 100 ms at the rate.")
    var queue: String?

    @Argument(parsing: .postTerminator, help: "A command to run instead of a shell, after --.")
    var command: [String] = []

    func validate() throws {
        guard (1...8).contains(links) else { throw ValidationError("--links takes 1 to 8") }
        _ = try profile()
    }

    private func profile() throws -> LinkProfile {
        LinkProfile(
            rate: try LinkWords.rate(rate), delay: try LinkWords.delay(delay), loss: try LinkWords.loss(loss),
            queue: try queue.map(LinkWords.size))
    }

    func run() throws {
        try becomeRootIfNeeded()
        let profile = try profile()
        let status = try Lab.with { lab in
            let near = try lab.host("near")
            let far = try lab.host("far")
            let links = try (1...links).map { number in
                let name = number == 1 ? "lte" : number == 2 ? "wifi" : "link\(number)"
                return try lab.link(near, far, name: name, aToB: profile, bToA: profile)
            }
            try near.multipath(over: links)
            try far.mptcp()
            let control = try ControlServer(hosts: [near, far], links: links)
            defer { control.remove() }
            return try runCommand(in: near, control)
        }
        throw ExitCode(status)
    }

    private func runCommand(in near: Host, _ control: ControlServer) throws -> Int32 {
        var arguments = command
        if arguments.isEmpty {
            let shell = getenv("SHELL").map { String(cString: $0) } ?? "/bin/sh"
            arguments = [shell]
            print(control.greeting)
        }
        // Interrupts from the terminal are for the shell, not for the lab around it.
        signal(SIGINT, SIG_IGN)
        signal(SIGQUIT, SIG_IGN)
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        let exit = try near.foreground(
            arguments,
            environment: [
                "PATH": "\(control.directory):\(path)",
                "BRAID_LAB": control.socketPath,
                "BRAID_LAB_HOST": "near",
                "BRAID_LAB_FAR": "nsenter --net=\(control.hosts[1].namespacePath) --",
                "debian_chroot": "lab:near",
            ])
        switch exit.status {
        case .exited(let status): return status
        case .signalled(let signal): return 128 + signal
        }
    }

    /// As an ordinary user, starts over in a user namespace where this user is root.
    private func becomeRootIfNeeded() throws {
        guard geteuid() != 0 else { return }
        guard let program = realpath("/proc/self/exe", nil) else { throw ValidationError("cannot find myself") }
        defer { free(program) }
        let arguments =
            ["unshare", "--user", "--map-root-user", "--", String(cString: program)] + CommandLine.arguments.dropFirst()
        execvp("unshare", arguments.map { strdup($0) } + [nil])
        throw ValidationError("cannot run unshare: the lab needs root or user namespaces")
    }
}
