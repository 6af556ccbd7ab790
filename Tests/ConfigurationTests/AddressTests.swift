import Configuration
import Testing

@Suite struct AddressTests {
    /// Every form of the interface comes back as it was written.
    @Test(arguments: [
        "tcp://127.0.0.1:80", "tcp://[::1]:0", "mptcp://*:7143", "mptcp://example.net:1", "tcp://*%eth0:80",
        "tcp://10.0.0.1%eth0:80", "tcp://[fe80::1%eth0]:80", "tcp://example.net%wwan0:80", "unix:///run/x.sock",
        "fd://web", "tcp://_srv-1.example.net.:65535",
    ])
    func listen_round_trip(text: String) throws {
        let settings = try Settings.load(
            text: "[[relay]]\nlisten = \"\(text)\"\nupstream = \"echo://\"", file: "f")
        #expect(settings.relays[0].listen.map(\.value.description) == [text])
    }

    @Test(arguments: [
        "socks5://127.0.0.1:1080", "http://[::1]:3128", "transparent://localhost:1", "convert://127.0.0.1:7",
    ])
    func listen_with_chosen_destination_round_trip(text: String) throws {
        let settings = try Settings.load(
            text: "[[relay]]\nlisten = \"\(text)\"\nupstream = \"direct+tcp://\"", file: "f")
        #expect(settings.relays[0].listen.map(\.value.description) == [text])
        #expect(settings.relays[0].listen[0].value.choosesDestination)
    }

    @Test(arguments: [
        "tcp://192.0.2.1:80", "mptcp://gateway.example.net:7143", "mptcp://[2001:db8::1]:1", "tcp://[fe80::1%eth0]:80",
        "mptcp+srv://_braid._tcp.example.net", "unix:///run/x.sock", "echo://", "dashboard://",
    ])
    func upstream_round_trip(text: String) throws {
        let settings = try Settings.load(
            text: "[[relay]]\nlisten = \"tcp://*:1\"\nupstream = \"\(text)\"", file: "f")
        #expect(settings.relays[0].upstream.map(\.value.description) == [text])
    }

    @Test(arguments: ["convert://192.0.2.1:80", "direct+tcp://", "direct+mptcp://"])
    func upstream_with_chosen_destination_round_trip(text: String) throws {
        let settings = try Settings.load(
            text: "[[relay]]\nlisten = \"socks5://localhost:1\"\nupstream = \"\(text)\"", file: "f")
        #expect(settings.relays[0].upstream.map(\.value.description) == [text])
    }

    @Test func an_interface_alone_is_all_addresses_of_it() throws {
        let settings = try Settings.load(
            text: "[[relay]]\nlisten = \"tcp://%eth0:80\"\nupstream = \"echo://\"", file: "f")
        #expect(settings.relays[0].listen[0].value == .tcp(HostPort(.any, scope: "eth0", port: 80)))
    }

    @Test(arguments: [
        ("", "is no address"), ("tcp", "is no address"), ("tcp:127.0.0.1:80", "is no address"),
        ("tcp://", "without port"),
        ("tcp://:80", "is no host"), ("tcp://127.0.0.1:", "is no port"), ("tcp://127.0.0.1:65536", "is no port"),
        ("tcp://127.0.0.1:-1", "is no port"), ("tcp://127.0.0.1:+1", "is no port"), ("tcp://127.0.0.1:٣", "is no port"),
        ("tcp://127.0.0.1:99999999999999999999", "is no port"), ("tcp://::1:80", "without brackets"),
        ("tcp://[::1:80", "bracket is not closed"), ("tcp://[::1]", "without port"), ("tcp://[::1]80", "without port"),
        ("tcp://[127.0.0.1]:80", "is no IPv6 address"), ("tcp://[]:80", "is no IPv6 address"),
        ("tcp://256.0.0.1:80", "is no host"), ("tcp://1.2.3:80", "is no host"), ("tcp://a..b:80", "is no host"),
        ("tcp://-a.b:80", "is no host"), ("tcp://a b:80", "is no host"), ("tcp://é:80", "is no host"),
        ("tcp://127.0.0.1:80/", "ends with a slash"), ("tcp://*%:80", "is no interface"),
        ("tcp://*%a/b:80", "is no interface"), ("tcp://*%aaaaaaaaaaaaaaaa:80", "is no interface"),
        ("unix://run/x", "not absolute"), ("unix:///", "not absolute"), ("fd://", "name is wrong"),
        ("fd://a:b", "name is wrong"),
        ("TCP://127.0.0.1:80", "write tcp://"), ("mpctp://127.0.0.1:80", "write mptcp://"),
        ("echo://", "it takes tcp://"),
        ("tcp://127.0.0.1\\u0000:80", "is no host"),
    ])
    func a_wrong_listener_is_told(text: String, part: String) throws {
        let errors = diagnoseRelay("", listen: "\"\(text)\"")
        try #require(errors.count == 1, "\(errors)")
        #expect(errors[0].hasPrefix("f:2:10: error: 'listen' "))
        #expect(errors[0].contains(part), "\(errors)")
    }

    @Test(arguments: [
        ("tcp://*:80", "nowhere to dial"), ("tcp://127.0.0.1:0", "from 1 to 65535"), ("echo://x", "takes nothing more"),
        ("direct+tcp://x:1", "takes nothing more"), ("mptcp+srv://", "service name is wrong"),
        ("mptcp+srv://a:1", "service name is wrong"), ("tcp://10.0.0.1%eth0:80", "bind-interface"),
        ("tcp://[2001:db8::1%eth0]:80", "bind-interface"), ("socks5://127.0.0.1:1", "it takes tcp://"),
        ("dirct+tcp://", "write direct+tcp://"), ("fd://x", "it takes tcp://"),
    ])
    func a_wrong_upstream_is_told(text: String, part: String) throws {
        let errors = diagnoseRelay("", upstream: "\"\(text)\"")
        try #require(errors.count == 1, "\(errors)")
        #expect(errors[0].hasPrefix("f:3:12: error: 'upstream' "))
        #expect(errors[0].contains(part), "\(errors)")
    }

    @Test func a_socket_path_has_the_kernels_bound() {
        #expect(diagnoseRelay("", listen: "\"unix:///\(String(repeating: "a", count: 106))\"") == [])
        #expect(diagnoseRelay("", listen: "\"unix:///\(String(repeating: "a", count: 107))\"").count == 1)
    }

    @Test func empty_lists_are_no_lists() {
        #expect(
            diagnoseRelay("", listen: "[]", upstream: "[]") == [
                "f:2:10: error: 'listen' is an empty list; write listen = \"tcp://127.0.0.1:8080\"",
                "f:3:12: error: 'upstream' is an empty list; write upstream = \"mptcp://gateway.example.net:7143\"",
            ])
    }

    @Test func locations_are_of_each_element() throws {
        let text = """
            [[relay]]
            listen = ["tcp://127.0.0.1:1",
                      "unix:///run/x"]
            upstream = "echo://"
            socket.mark = 7
            socket.listen = { tos = 8 }
            """
        let relay = try Settings.load(text: text, file: "near.toml").relays[0]
        #expect(relay.listen.map(\.location.description) == ["near.toml:2:11", "near.toml:3:11"])
        #expect(relay.upstream[0].location.description == "near.toml:4:12")
        #expect(relay.locations["socket.listen.mark", "socket.mark"].description == "near.toml:5:15")
        #expect(relay.locations["socket.listen.tos", "socket.tos"].description == "near.toml:6:25")
        #expect(relay.locations["connect-timeout"].description == "near.toml:1:1")
        #expect(relay.locations.isSet("socket.mark") && !relay.locations.isSet("socket.tos"))
        // A moved line changes no setting.
        #expect(try Settings.load(text: "\n\n" + text, file: "other").relays[0] == relay)
    }
}
