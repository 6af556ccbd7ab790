import Configuration
import Testing

/// Combinations that cannot work.
@Suite struct ConflictTests {
    @Test(arguments: [
        // A destination that nobody gives, or that nobody heeds.
        (
            "tcp://*:1", "direct+tcp://", "",
            "f:3:12: error: 'upstream' has \"direct+tcp://\", which needs a destination, and \"tcp://*:1\" gives none"
        ),
        (
            "unix:///x", "direct+mptcp://", "",
            "f:3:12: error: 'upstream' has \"direct+mptcp://\", which needs a destination"
        ),
        (
            "fd://x", "convert://a.b:1", "",
            "f:3:12: error: 'upstream' has \"convert://a.b:1\", which needs a destination"
        ),
        (
            "socks5://[::1]:1", "tcp://a.b:1", "",
            "f:3:12: error: 'upstream' has \"tcp://a.b:1\", which ignores the destination"
        ),
        (
            "transparent://127.0.0.1:1", "echo://", "",
            "f:3:12: error: 'upstream' has \"echo://\", which ignores the destination"
        ),
        ("socks5://[::1]:1", "tcp://a.b:1", "ignore-destination = true", nil),
        (
            "socks5://[::1]:1", "direct+tcp://", "ignore-destination = true",
            "f:4:22: error: 'ignore-destination' contradicts"
        ),
        (
            "tcp://[::1]:1", "echo://", "ignore-destination = true",
            "f:4:22: error: 'ignore-destination' is for listeners"
        ),
        (
            "tcp://[::1]:1", "echo://", "insecure-open-relay = true",
            "f:4:23: error: 'insecure-open-relay' is for listeners"
        ),
        (
            "tcp://[::1]:1", "echo://", "destinations = { deny = [\":25\"] }",
            "f:4:16: error: 'destinations' is for listeners"
        ),
        // A relay that dials itself.
        (
            "tcp://127.0.0.1:1", "mptcp://127.0.0.1:1", "",
            "f:3:12: error: 'upstream' has \"mptcp://127.0.0.1:1\", where this relay itself listens (f:2:10)"
        ),
        // PROXY headers.
        (
            "tcp://*:1", "echo://", "accept-proxy = true",
            "f:4:16: error: 'accept-proxy' would believe anyone who reaches \"tcp://*:1\""
        ),
        ("fd://x", "echo://", "accept-proxy = true", "f:4:16: error: 'accept-proxy' would believe"),
        ("unix:///x", "echo://", "accept-proxy = true", nil),
        ("tcp://[::1]:1", "echo://", "accept-proxy = true", nil),
        ("tcp://localhost:1", "echo://", "accept-proxy = true", nil),
        ("tcp://*%lo:1", "echo://", "accept-proxy = true", nil),
        ("tcp://*:1", "echo://", "accept-proxy = true\ntrusted-proxies = [\"192.0.2.1\"]", nil),
        (
            "tcp://*:1", "echo://", "trusted-proxies = [\"192.0.2.1\"]",
            "f:4:19: error: 'trusted-proxies' is without effect"
        ),
        // Keys without anything to heed them.
        ("tcp://*:1", "mptcp://a.b:1", "key-file = \"/k\"", "f:4:12: error: 'key-file' is for convert://"),
        (
            "tcp://*:1", "mptcp://a.b:1", "users-file = \"/u\"",
            "f:4:14: error: 'users-file' is for socks5:// and http://"
        ),
        ("tcp://*:1", "tcp://a.b:1", "require-multipath = true", "f:4:21: error: 'require-multipath' needs MPTCP"),
        ("tcp://*:1", "mptcp://a.b:1", "require-multipath = true", nil),
        ("mptcp://*:1", "tcp://a.b:1", "require-multipath = true", nil),
        ("tcp://*:1", "mptcp+srv://a.b", "require-multipath = true", nil),
        ("tcp://*:1", "echo://", "health-check = {}", "f:4:16: error: 'health-check' has no upstream"),
        ("tcp://*:1", "echo://", "allow = []", "f:4:9: error: 'allow' is empty"),
        // TLS.
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen = {}",
            "f:4:14: error: 'tls.listen' has neither certificate nor pre-shared key"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen.certificate = \"/c\"",
            "f:4:26: error: 'tls.listen.certificate' has no key"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.upstream.key = \"/k\"",
            "f:4:20: error: 'tls.upstream.key' has no certificate"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen = { psk-file = \"/p\", client-ca = \"/c\" }",
            "f:4:45: error: 'tls.listen.client-ca' needs a certificate"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen = { psk-file = \"/p\", ca = \"/c\" }",
            "f:4:38: error: 'tls.listen.ca' is for tls.upstream"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen = { psk-file = \"/p\", verify = true }",
            "f:4:42: error: 'tls.listen.verify' is for tls.upstream"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.listen = { psk-file = \"/p\", server-name = \"x\" }",
            "f:4:47: error: 'tls.listen.server-name' is for tls.upstream"
        ),
        (
            "tcp://*:1", "tcp://a.b:1", "tls.upstream.client-ca = \"/c\"",
            "f:4:26: error: 'tls.upstream.client-ca' is for tls.listen"
        ),
        ("tcp://*:1", "echo://", "tls.upstream = {}", "f:4:16: error: 'tls.upstream' has no upstream that is dialled"),
        ("tcp://*:1", "tcp://a.b:1", "tls.upstream = {}", nil),
    ])
    func of_a_relay(listen: String, upstream: String, keys: String, expected: String?) {
        let errors = diagnoseRelay(keys, listen: "\"\(listen)\"", upstream: "\"\(upstream)\"")
        if let expected {
            #expect(errors.count == 1 && errors[0].hasPrefix(expected), "\(errors)")
        } else {
            #expect(errors == [])
        }
    }

    /// Every listener whose clients choose the destination, with every guard.
    @Test(
        arguments: ["socks5", "http", "transparent", "convert"],
        [
            ("*:1", "", true), ("0.0.0.0:1", "", true), ("[::]:1", "", true), ("192.0.2.1:1", "", true),
            ("gw.example.net:1", "", true),
            ("*%eth0:1", "", true), ("127.0.0.1:1", "", false), ("127.9.9.9:1", "", false), ("[::1]:1", "", false),
            ("[::ffff:127.0.0.1]:1", "", false), ("localhost:1", "", false), ("*%lo:1", "", false),
            ("*:1", "allow = [\"192.0.2.0/24\"]", false), ("*:1", "allow = [\"0.0.0.0/0\"]", true),
            ("*:1", "allow = [\"::/0\"]", true),
            ("*:1", "allow = [\"0.0.0.0/1\", \"128.0.0.0/1\"]", true), ("*:1", "allow = [\"2000::/3\"]", true),
            ("*:1", "allow = [\"::ffff:0.0.0.0/96\"]", true),
            ("*:1", "allow = [\"0.0.0.0/1\", \"128.0.0.0/2\"]", false),
            ("*:1", "deny = [\"192.0.2.0/24\"]", true), ("*:1", "insecure-open-relay = true", false),
            ("*:1", "destinations = { allow = [\"10.0.0.0/8\"] }", true),
            ("*:1", "tls.listen = { certificate = \"/c\", key = \"/k\", client-ca = \"/a\" }", false),
            ("*:1", "tls.listen = { certificate = \"/c\", key = \"/k\" }", true),
        ])
    func no_open_relay(scheme: String, row: (address: String, keys: String, isOpen: Bool)) {
        let all = diagnoseRelay(row.keys, listen: "\"\(scheme)://\(row.address)\"", upstream: "\"direct+tcp://\"")
        // Redirected clients know of no proxy, so they cannot begin TLS with it: that is said, too.
        let errors = all.filter { !$0.contains("'tls.listen' cannot be where clients are redirected to") }
        #expect(all.count == errors.count || scheme == "transparent")
        #expect(errors.count == (row.isOpen ? 1 : 0), "\(errors)")
        for error in errors { #expect(error.hasPrefix("f:2:10: error: 'listen' has \"\(scheme)://")) }
    }

    @Test func a_key_guards_the_converter_only() {
        #expect(diagnoseRelay("key-file = \"/k\"", listen: "\"convert://*:1\"", upstream: "\"direct+tcp://\"") == [])
        let errors = diagnoseRelay(
            "key-file = \"/k\"", listen: "[\"convert://*:1\", \"socks5://*:2\"]", upstream: "\"direct+tcp://\"")
        #expect(errors.count == 1 && errors[0].hasPrefix("f:2:28: error: 'listen' has \"socks5://*:2\""))
        // A password crosses the network in clear text.
        #expect(
            diagnoseRelay("users-file = \"/u\"", listen: "\"socks5://*:1\"", upstream: "\"direct+tcp://\"").count == 1)
    }

    @Test func names_and_addresses_are_used_once() {
        let text = """
            [admin]
            http = "127.0.0.1:3"
            socket = "/run/x"
            [[relay]]
            name = "relay2"
            listen = ["tcp://127.0.0.1:1", "tcp://127.0.0.1:0"]
            upstream = "echo://"
            [[relay]]
            listen = ["mptcp://127.0.0.1:1", "tcp://127.0.0.1:0", "unix:///run/x", "fd://a"]
            upstream = "echo://"
            [[relay]]
            name = "relay2"
            listen = ["tcp://127.0.0.1:3", "fd://a"]
            upstream = "echo://"
            [[paths.link]]
            interface = "eth0"
            [[paths.link]]
            name = "eth0"
            interface = "eth1"
            [[paths.link]]
            name = "other"
            interface = "eth0"
            """
        #expect(
            diagnose(text) == [
                "f:2:8: error: 'http' is \"127.0.0.1:3\", which f:13:11 listens on already; use another address or port",
                "f:3:10: error: 'socket' is \"/run/x\", which f:9:55 listens on already; use another address or port",
                "f:8:1: error: the relay is named \"relay2\" by its position, as is the relay at f:5:8; give it another name",
                "f:9:11: error: 'listen' has \"mptcp://127.0.0.1:1\", which f:6:11 listens on already; use another address or port",
                "f:12:8: error: 'name' is \"relay2\", as is the relay at f:5:8; give it another name",
                "f:13:32: error: 'listen' has \"fd://a\", which f:9:72 listens on already; use another address or port",
                "f:18:8: error: the link is named \"eth0\", as is the one at f:15:1; give it another name",
                "f:22:13: error: the link at f:15:1 is the same; remove one of the two",
            ])
    }

    /// A relay of which something could not be read is not blamed for what may be in it.
    @Test func no_conclusions_from_what_is_unreadable() {
        #expect(diagnoseRelay("allow = [\"x\"]", listen: "\"socks5://*:1\"", upstream: "\"direct+tcp://\"").count == 1)
        #expect(
            diagnoseRelay("allow = [\"${NOT_SET}\"]", listen: "\"socks5://*:1\"", upstream: "\"direct+tcp://\"").count
                == 1)
        #expect(
            diagnoseRelay("key-file = \"${NOT_SET}\"", listen: "\"convert://*:1\"", upstream: "\"direct+tcp://\"").count
                == 1)
        #expect(diagnoseRelay("", listen: "[\"${NOT_SET}\"]").count == 1)
    }
}
