import Lab

/// What the near host's kernel has, and what others than Braid do to it.
extension PathsLab {
    /// All that Braid keeps for two links with IPv4 and IPv6.
    static let allEndpoints = ["lte", "lte", "wifi", "wifi"]

    /// The near host's endpoints that are backup, by interface.
    func backupEndpoints() throws -> [String] {
        try near.run("ip", "mptcp", "endpoint", "show").standardOutput.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.contains("backup"), let place = words.firstIndex(of: "dev") else { return nil }
            return words[place + 1]
        }.sorted()
    }

    /// Addresses and ports at the near host of the subflows over a link that are established.
    func subflows(over link: Link) throws -> [String] {
        try near.run(
            "ss", "-tnH", "state", "established", "src", link.address(of: near), "dport", "=", ":7143"
        ).standardOutput.split(separator: "\n").compactMap { line in
            line.split(separator: " ").dropFirst(2).first.map(String.init)
        }
    }

    /// Ends the subflows over a link, as an impatient router does: their connections do not ask for that.
    func killSubflows(over link: Link) throws {
        try near.run("ss", "-K", "-tn", "src", link.address(of: near), "dport", "=", ":7143")
    }

    /// Lets the far host refuse what comes to port 7143 over a link, or no more.
    func refuse(_ refuses: Bool, over link: Link) throws {
        if !refuses {
            _ = try far.run("nft", "delete", "table", "inet", "refusal")
            return
        }
        try far.run(
            ["nft", "-f", "-"],
            input: """
                table inet refusal {
                    chain input {
                        type filter hook input priority 0
                        iifname "\(link.name)" tcp dport 7143 reject with tcp reset
                    }
                }

                """)
    }

    /// Sets the near host's IPv4 default routes over a link again: the kernel drops them with the address.
    func restoreRoutes(over link: Link) throws {
        let table = "\(100 + link.number)"
        let gateway = link.address(of: far)
        try near.run("ip", "-4", "route", "replace", "default", "via", gateway, "dev", link.name, "table", table)
        try near.run("ip", "-4", "route", "replace", "default", "via", gateway, "dev", link.name, "metric", table)
    }

    /// An application's destination behind the far end, and an application at the near end.
    func applications() async throws -> (client: Traffic, server: Traffic) {
        let server = try Traffic(in: far)
        try await server.serve("127.0.0.1", port: 9000)
        return (try Traffic(in: near), server)
    }
}
