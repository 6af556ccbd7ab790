import Testing

@testable import Configuration

/// Quantities, networks and the other kinds of value.
@Suite struct ValueTests {
    @Test(arguments: [
        ("250ms", 250_000_000), ("30s", 30_000_000_000), ("5m", 300_000_000_000), ("1h", 3_600_000_000_000),
        ("7d", 604_800_000_000_000), ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("20us", 20000), ("0", 0),
        ("0s", 0), ("0.001ms", 1000),
    ])
    func durations(text: String, nanoseconds: Int) throws {
        #expect(try DurationText.parse(text) == .nanoseconds(nanoseconds))
    }

    @Test(arguments: [
        "", "s", "-1s", "+1s", "1 s", "1", "1x", "1.s", ".5s", "1..2s", "1s ", "9223372036854775807d", "1e3s",
        "0.0000000001s", "٣s",
    ])
    func no_durations(text: String) {
        #expect(throws: (any Error).self) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        (Duration.milliseconds(250), "250ms"), (.seconds(60), "1m"), (.seconds(90), "90s"), (.zero, "0s"),
        (.seconds(7200), "2h"),
        (.microseconds(1), "1us"), (.milliseconds(1500), "1500ms"),
    ])
    func durations_in_words(duration: Duration, text: String) {
        #expect(DurationText.format(duration) == text)
    }

    @Test(arguments: [
        ("\"64KiB\"", SocketSettings.Buffer.bytes(65536)), ("\"1MiB\"", .bytes(1 << 20)),
        ("\"1MB\"", .bytes(1_000_000)),
        ("\"0.5MiB\"", .bytes(1 << 19)), ("\"8192B\"", .bytes(8192)), ("\"auto\"", .automatic), ("\"4kb\"", nil),
        ("65536", nil),
        ("\"2GiB\"", nil), ("\"0\"", nil), ("\"64\"", nil), ("\"KiB\"", nil), ("\"-64KiB\"", nil), ("\"1.3B\"", nil),
        ("\"9999999999999TiB\"", nil), ("true", nil),
    ])
    func sizes(text: String, expected: SocketSettings.Buffer?) throws {
        let keys = "[[relay]]\nlisten = \"tcp://*:1\"\nupstream = \"echo://\"\nsocket.buffer = \(text)"
        guard let expected else {
            #expect(diagnose(keys).count == 1)
            return
        }
        #expect(try Settings.load(text: keys, file: "f").relays[0].upstreamSocket.buffer == expected)
    }

    @Test(arguments: [
        ("10Mbit", 10_000_000), ("1.5Gbit", 1_500_000_000), ("64kbit", 64000), ("8bit", 8), ("10mbit", 10_000_000),
        ("10", nil),
        ("10MB", nil), ("7bit", nil), ("99Tbit", nil), ("10Mbit/s", nil),
    ])
    func bit_rates(text: String, expected: Int?) {
        let keys = "[[relay]]\nlisten = \"tcp://*:1\"\nupstream = \"echo://\"\nrate-limit = { bandwidth = \"\(text)\" }"
        #expect((try? Settings.load(text: keys, file: "f"))?.relays[0].rateLimit?.bandwidth == expected)
    }

    @Test(arguments: [
        ("100/s", EventRate(count: 100, interval: .seconds(1))),
        ("600/m", EventRate(count: 600, interval: .seconds(60))),
        ("1/h", EventRate(count: 1, interval: .seconds(3600))), ("0/s", nil), ("100", nil), ("/s", nil), ("1/s/s", nil),
        ("1/d", nil),
    ])
    func event_rates(text: String, expected: EventRate?) {
        let keys =
            "[[relay]]\nlisten = \"tcp://*:1\"\nupstream = \"echo://\"\nrate-limit = { connections = \"\(text)\" }"
        #expect((try? Settings.load(text: keys, file: "f"))?.relays[0].rateLimit?.connections == expected)
    }

    @Test(arguments: [
        ("192.0.2.0/24", "192.0.2.0/24", ""), ("192.0.2.1", "192.0.2.1/32", ""), ("2001:db8::/32", "2001:db8::/32", ""),
        ("::/0", "::/0", ""), ("0.0.0.0/0", "0.0.0.0/0", ""), ("10.0.0.1/8", nil, "write \"10.0.0.0/8\""),
        ("2001:db8::1/32", nil, "write \"2001:db8::/32\""), ("10.0.0.0/33", nil, "0 to 32"),
        ("::/129", nil, "0 to 128"),
        ("10.0.0.0/", nil, "0 to 32"), ("10.0.0.0/-1", nil, "0 to 32"), ("10.0.0.0/8/8", nil, "0 to 32"),
        ("10", nil, "no network"),
        ("example.net", nil, "no network"), ("", nil, "no network"),
    ])
    func networks(text: String, expected: String?, part: String) throws {
        let keys = "[[relay]]\nlisten = \"tcp://*:1\"\nupstream = \"echo://\"\ndeny = [\"\(text)\"]"
        if let expected {
            #expect(try Settings.load(text: keys, file: "f").relays[0].deny.map(\.description) == [expected])
        } else {
            let errors = diagnose(keys)
            #expect(
                errors.count == 1 && errors[0].hasPrefix("f:4:9: error: 'deny' ") && errors[0].contains(part),
                "\(errors)")
        }
    }

    @Test func a_network_contains_its_addresses() throws {
        let network = try IPNetwork(parsing: "192.0.2.0/24")
        for (text, isInside) in [
            ("192.0.2.0", true), ("192.0.2.255", true), ("192.0.3.0", false), ("::ffff:192.0.2.7", true),
            ("::c000:207", false),
        ] {
            #expect(network.contains(try #require(IPAddress(text))) == isInside, "\(text)")
        }
        #expect(try IPNetwork(parsing: "::/0").contains(try #require(IPAddress("2001:db8::1"))))
        #expect(try IPNetwork(parsing: "2001:db8::/127").contains(try #require(IPAddress("2001:db8::2"))) == false)
    }

    @Test func addresses_know_what_they_are() throws {
        let loopback = ["127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"]
        for text in loopback { #expect(try #require(IPAddress(text)).isLoopback, "\(text)") }
        for text in ["128.0.0.1", "::2", "::ffff:128.0.0.1", "::"] {
            #expect(try !#require(IPAddress(text)).isLoopback, "\(text)")
        }
        for text in ["169.254.1.1", "fe80::1", "febf::1"] {
            #expect(try #require(IPAddress(text)).isLinkLocal, "\(text)")
        }
        for text in ["fec0::1", "169.253.0.0"] { #expect(try !#require(IPAddress(text)).isLinkLocal, "\(text)") }
        #expect(try #require(IPAddress("192.0.2.1")).bytes == [192, 0, 2, 1])
        #expect(
            try #require(IPAddress("2001:db8::1")).bytes == [0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(IPAddress("1.2.3.4\0") == nil)
        #expect(
            IPAddress("0x7f.1") == nil && IPAddress("1.2.3") == nil && IPAddress("") == nil && IPAddress(":") == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("10.0.0.1:443", "10.0.0.1/32:443"), ("*.example.net", "*.example.net"),
        ("*.Example.net:443", "*.example.net:443"), (":22", ":22"), (":1024-2047", ":1024-2047"), ("*", "*"),
        ("*:80", ":80"),
        ("2001:db8::/32", "2001:db8::/32"), ("[2001:db8::/32]:443", "[2001:db8::/32]:443"), ("localhost", "localhost"),
        ("", nil), (":", nil), (":0", nil), (":65536", nil), (":2-1", nil), (":1-", nil), ("a b", nil),
        ("10.0.0.1/8", nil),
        ("[::1", nil), ("[::1]x", nil), ("1.2.3.400", nil),
    ])
    func destinations(text: String, expected: String?) throws {
        let keys =
            "[[relay]]\nlisten = \"socks5://[::1]:1\"\nupstream = \"direct+tcp://\"\ndestinations = { allow = [\"\(text)\"] }"
        if let expected {
            let destinations = try Settings.load(text: keys, file: "f").relays[0].destinations
            #expect(destinations?.allow?.map(\.description) == [expected])
        } else {
            #expect(diagnose(keys).count == 1, "\(diagnose(keys))")
        }
    }

    @Test func socket_options_are_overridden_side_by_side() throws {
        let text = """
            [[relay]]
            listen = "tcp://*:1"
            upstream = "echo://"
            [relay.socket]
            keepalive = "0s"
            congestion = "bbr"
            mark = 4294967295
            nodelay = true
            bind-address = "192.0.2.1"
            bind-interface = "eth0"
            [relay.socket.listen]
            congestion = ""
            bind-interface = ""
            nodelay = "auto"
            [relay.socket.upstream]
            congestion = "auto"
            bind-address = ""
            tos = 16
            """
        let relay = try Settings.load(text: text, file: "f").relays[0]
        var listen = SocketSettings()
        listen.keepalive = .zero
        listen.mark = .max
        #expect(relay.listenSocket == listen)
        var upstream = listen
        upstream.congestion = .automatic
        upstream.noDelay = .fixed(true)
        upstream.bindInterface = "eth0"
        upstream.tos = 16
        #expect(relay.upstreamSocket == upstream)
    }

    @Test(arguments: [
        ("socket.keepalive = \"1.5s\"", "whole seconds"), ("socket.mark = -1", "0 to 4294967295"),
        ("socket.tos = 256", "0 to 255"),
        ("socket.nodelay = \"yes\"", "\"auto\", true or false"), ("socket.congestion = \"b b\"", "bbr"),
        ("socket.bind-address = \"::\"", "no address"), ("socket.listen.bind-address = \"::1\"", "in 'listen'"),
        ("socket.bind-interface = \"sixteen-letters-\"", "no interface"), ("max-connections = -1", "0 to 10000000"),
        ("max-connections-per-client = 10000001", "0 to 10000000"),
        ("max-connections-per-client = \"2\"", "without quotes"),
        ("connect-timeout = \"0s\"", "\"10ms\" to \"10m\""),
        ("idle-timeout = \"1ms\"", "\"10ms\" to \"365d\", or \"0s\""),
        ("tls.listen.server-name = \"a b\"", "no DNS name"), ("key-file = \"key\"", "absolute path"),
        ("send-proxy = \"v3\"", "write \"v1\""), ("health-check.rise = 0", "1 to 100"),
        ("rate-limit = {}", "has no 'connections'"),
        ("tls.certificate = \"/x\"", "it knows listen, upstream"), ("mode = \"fast\"", "aggregate"),
    ])
    func bounds_of_relay_keys(keys: String, part: String) {
        let errors = diagnoseRelay(keys)
        #expect(errors.count == 1 && errors[0].hasPrefix("f:4:") && errors[0].contains(part), "\(errors)")
    }

    @Test(arguments: [
        ("max-loss = 1.5", "0.0 to 1.0"), ("max-loss = nan", "out of range"), ("max-loss = \"1\"", "without quotes"),
        ("priority = 1001", "0 to 1000"), ("max-rtt = \"2m\"", "\"1ms\" to \"1m\""),
        ("monthly-limit = \"20\"", "no size"),
        ("over-limit = \"on\"", "\"backup\""), ("port = 65536", "0 to 65535"), ("port = 1", "not announced"),
        ("fullmesh = true\nannounce = true", "'fullmesh' is for links"), ("fullmesh = 1", "true or false"),
        ("address = \"192.0.2.1\"", "both 'interface' and 'address'"), ("name = \"a/b\"", "no name"),
    ])
    func bounds_of_link_keys(keys: String, part: String) {
        let errors = diagnose("[[paths.link]]\ninterface = \"eth0\"\n\(keys)\n")
        #expect(errors.count == 1 && errors[0].contains(part), "\(errors)")
    }

    @Test func links() throws {
        let text = """
            [[paths.link]]
            interface = "*"
            max-loss = 1
            monthly-limit = "20GB"
            [[paths.link]]
            address = "2001:db8::1"
            port = 7143
            """
        let links = try Settings.load(text: text, file: "f").paths.links
        #expect(links.map(\.name) == ["*", "2001:db8::1"])
        #expect(links.map(\.announce) == [false, true])
        #expect(links[0].monthlyLimit == 20_000_000_000 && links[0].maxLoss == 1)
        #expect(links[1].port == 7143)
    }

    @Test func the_admin_socket_follows_the_environment() {
        #expect(AdminSettings.defaultSocket(environment: [:]) == "/run/braid/admin.sock")
        #expect(AdminSettings.defaultSocket(environment: ["RUNTIME_DIRECTORY": "/run/a:/run/b"]) == "/run/a/admin.sock")
        #expect(
            AdminSettings.defaultSocket(environment: ["BRAID_SOCKET": "/x", "RUNTIME_DIRECTORY": "/run/a"]) == "/x")
    }
}
