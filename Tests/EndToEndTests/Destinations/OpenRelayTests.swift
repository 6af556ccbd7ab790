import Lab
import Testing

extension EndToEndSuite {
    /// A listener whose clients choose the destination, which others can reach, and nothing that keeps them out: the program
    /// neither starts with it nor calls it right.
    @Suite(.serialized) struct OpenRelayTests {
        private static let kinds = ["socks5", "http", "convert", "transparent"]
        /// What keeps nobody out, or not everybody.
        private static let guards = [
            "", "deny = [\"192.0.2.0/24\"]", "allow = [\"0.0.0.0/0\"]", "allow = [\"::/0\"]",
            "allow = [\"0.0.0.0/1\", \"128.0.0.0/1\"]", "destinations = { allow = [\"*\"] }",
            "max-connections = 10",
        ]

        private func config(_ listen: String, _ more: String) -> String {
            "[[relay]]\nlisten = \"\(listen)\"\nupstream = \"direct+tcp://\"\n\(more)\n"
        }

        @Test(arguments: kinds) func isRefusedByRunAndCheck(kind: String) throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                func expect(_ command: String, _ config: String, _ what: String) throws {
                    let refusal = try BraidProgram.refusal(command, config: config, in: host)
                    #expect(refusal.status == .exited(78), "\(command): \(refusal.message)\n\(config)")
                    #expect(refusal.message.contains("braid.toml:2:10: error: "), "\(refusal.message)")
                    #expect(refusal.message.contains(what), "\(refusal.message)")
                    #expect(try !host.listens(port: 7100))
                }
                for address in ["*", "0.0.0.0", "[::]", "10.0.0.77", "[2001:db8::1]"] {
                    let config = config("\(kind)://\(address):7100", "")
                    try expect("check", config, "lets anyone who reaches it go anywhere")
                }
                try expect("run", config("\(kind)://*:7100", ""), "lets anyone who reaches it go anywhere")
                for guardian in Self.guards.dropFirst() {
                    try expect("check", config("\(kind)://*:7100", guardian), "lets ")
                }
                // A password is no guard: it crosses the network in clear text.
                if kind == "socks5" || kind == "http" {
                    let directory = try TemporaryDirectory()
                    let users = directory.file("users")
                    try host.run([BraidProgram.path, "passwd", users, "anna"], input: "secret\n")
                    try expect("run", config("\(kind)://*:7100", "users-file = \"\(users)\""), "lets anyone")
                }
                // With a guard, or on loopback, or when it is asked for by name, it is right.
                for (address, guardian) in [
                    ("*", "allow = [\"192.0.2.0/24\"]"), ("*", "insecure-open-relay = true"), ("127.0.0.1", ""),
                    ("[::1]", ""),
                ] {
                    let directory = try TemporaryDirectory()
                    let file = try directory.write(config("\(kind)://\(address):7100", guardian), to: "braid.toml")
                    let output = try BraidProgram.run(["check", "--config", file], in: host)
                    #expect(output.status == .exited(0), "\(address) \(guardian): \(output.standardError)")
                }
            }
        }
    }
}
