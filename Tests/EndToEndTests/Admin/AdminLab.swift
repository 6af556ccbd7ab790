import Lab

/// A Braid with relays to look at, and what tests ask of its admin interface.
struct AdminLab {
    let host: Host
    let braid: BraidProcess

    /// Near and far end of an echo in one process, and the dashboard inside a relay.
    static let relays = """
        [admin]
        http = "127.0.0.1:9180"
        [[relay]]
        name = "near"
        listen = "tcp://127.0.0.1:8080"
        upstream = "mptcp://127.0.0.1:7143"
        [[relay]]
        name = "far"
        listen = "mptcp://127.0.0.1:7143"
        upstream = "echo://"
        [[relay]]
        name = "page"
        listen = "tcp://127.0.0.1:8081"
        upstream = "dashboard://"
        """

    init(_ config: String = AdminLab.relays, in host: Host, daemon: String = "", prefix: [String] = []) async throws {
        self.host = host
        braid = try await BraidProcess.start(config, in: host, daemon: daemon, prefix: prefix)
    }

    /// Runs a command of the program's.
    func command(_ arguments: String...) throws -> CommandOutput {
        try BraidProgram.run(arguments, in: host, environment: ["BRAID_SOCKET": braid.socket])
    }

    /// Asks over the admin socket: the status and the body.
    func owner(_ path: String, _ more: String...) throws -> (status: Int, body: String) {
        try curl(["--unix-socket", braid.socket, "http://localhost\(path)"] + more)
    }

    /// Asks on admin.http.
    func reader(_ path: String, _ more: String...) throws -> (status: Int, body: String) {
        try curl(["http://127.0.0.1:9180\(path)"] + more)
    }

    func curl(_ arguments: [String]) throws -> (status: Int, body: String) {
        let output = try host.run(["curl", "-sS", "--max-time", "15", "-w", "\n%{http_code}"] + arguments)
        let text = output.standardOutput
        guard let end = text.lastIndex(of: "\n"), let status = Int(text[text.index(after: end)...]) else {
            throw LabError("curl \(arguments)", detail: text)
        }
        return (status, String(text[..<end]))
    }
}
