import Configuration
import Testing

@Suite struct NotBuiltYetTests {
    @Test(arguments: [
        "handshake-timeout = \"6s\"",
        "allow = [\"::1\"]",
        "deny = [\"::1\"]", "accept-proxy = true", "send-proxy = \"v1\"",
        "rate-limit = { connections = \"1/s\" }",
        "tls.upstream = {}",
    ])
    func says_so_with_its_place(key: String) throws {
        let text = "[[relay]]\nlisten = \"tcp://[::1]:1\"\nupstream = \"mptcp://a.b:1\"\n\(key)"
        let refusals = try Settings.load(text: text, file: "f").notBuiltYet()
        let name = try #require(key.split(separator: " ").first)
        let expected = key.hasPrefix("tls") ? "tls" : String(name)
        try #require(refusals.count == 1, "\(refusals)")
        #expect(refusals[0].location.line == 4)
        #expect(refusals[0].message == "'\(expected)': not built yet")
    }

    @Test func says_so_of_addresses() throws {
        let text = """
            [[relay]]
            listen = ["socks5://[::1]:1", "http://[::1]:2", "transparent://[::1]:3", "convert://[::1]:4"]
            upstream = ["direct+tcp://", "direct+mptcp://", "convert://a.b:1"]
            [[relay]]
            listen = ["tcp://[::1]:5", "mptcp://[::1]:6", "unix:///x", "fd://x"]
            upstream = ["dashboard://", "mptcp+srv://a.b", "tcp://a.b:1", "mptcp://a.b:1", "unix:///y", "echo://"]
            """
        let refusals = try Settings.load(text: text, file: "f").notBuiltYet()
        #expect(
            refusals.map(\.location.description) == [
                "f:2:11", "f:2:31", "f:2:49", "f:2:74", "f:3:13", "f:3:30", "f:3:49",
            ])
    }

    @Test func takes_what_is_built() throws {
        let text = """
            [daemon]
            threads = 2
            drain-timeout = "0s"
            log-level = "trace"
            log-format = "json"
            log-connections = false
            [limits]
            connections = 10
            [admin]
            socket = "/x"
            http = "[::1]:1"
            [paths]
            race-delay = "100ms"
            manage = true
            routing = true
            stall-timeout = "1s"
            max-subflows = 2
            max-announced = 2
            exclude = []
            link = [{ interface = "eth0", backup = true, priority = 2 }, { address = "192.0.2.1", port = 5 }]
            [[relay]]
            listen = ["tcp://*:1", "mptcp://*:2"]
            upstream = ["tcp://a.b:1", "mptcp://a.b:1"]
            connect-timeout = "1s"
            idle-timeout = "1s"
            half-close-timeout = "1s"
            max-connections = 5
            balance = "source-hash"
            health-check = {}
            slow-start = "0s"
            socket = { keepalive = "1s", user-timeout = "1s", congestion = "bbr", mark = 1, tos = 1, nodelay = true, fast-open = true, buffer = "1MiB", bind-interface = "lo", bind-address = "::1" }
            """
        #expect(try Settings.load(text: text, file: "f").notBuiltYet() == [])
    }
}
