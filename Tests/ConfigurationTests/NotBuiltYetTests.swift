import Configuration
import Testing

@Suite struct NotBuiltYetTests {
    @Test(arguments: [
        "tls.upstream = {}"
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
            listen = ["tcp://[::1]:5", "mptcp://[::1]:6", "unix:///x", "fd://x"]
            upstream = ["dashboard://", "mptcp+srv://a.b", "tcp://a.b:1", "mptcp://a.b:1", "unix:///y", "echo://"]
            """
        let refusals = try Settings.load(text: text, file: "f").notBuiltYet()
        #expect(refusals.isEmpty)
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
            handshake-timeout = "6s"
            allow = ["::1"]
            deny = ["::1"]
            accept-proxy = true
            trusted-proxies = ["::1"]
            send-proxy = "v2+multipath"
            rate-limit = { connections = "1/s", bandwidth = "1Mbit", per = "client" }
            balance = "source-hash"
            health-check = {}
            slow-start = "0s"
            socket = { keepalive = "1s", user-timeout = "1s", congestion = "bbr", mark = 1, tos = 1, nodelay = true, fast-open = true, buffer = "1MiB", bind-interface = "lo", bind-address = "::1" }
            [[relay]]
            listen = ["socks5://[::1]:11", "http://[::1]:12", "transparent://[::1]:13", "convert://[::1]:14"]
            upstream = ["direct+tcp://", "direct+mptcp://", "convert://a.b:1"]
            users-file = "/x"
            key-file = "/y"
            destinations = { allow = [":443"] }
            [[relay]]
            listen = "http://*:15"
            upstream = "echo://"
            ignore-destination = true
            [[relay]]
            listen = "http://*:16"
            upstream = "direct+tcp://"
            insecure-open-relay = true
            """
        #expect(try Settings.load(text: text, file: "f").notBuiltYet() == [])
    }
}
