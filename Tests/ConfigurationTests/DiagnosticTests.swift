import Configuration
import Testing

/// Each kind of error, with the exact place and words.
@Suite struct DiagnosticTests {
    @Test(arguments: [
        // Unknown keys.
        ("[deamon]\n", "f:1:2: error: unknown key 'deamon' at the top level; write 'daemon'"),
        ("[daemon]\nlog_level = \"info\"\n", "f:2:1: error: unknown key 'log_level' in [daemon]; write 'log-level'"),
        ("[limits]\nxyzzy = 1\n", "f:2:1: error: unknown key 'xyzzy' in [limits]; it knows connections"),
        ("[limits]\n\"\\u001b[2J\" = 1\n", "f:2:1: error: unknown key '\\u{1B}[2J' in [limits]; it knows connections"),
        // Wrong types.
        ("daemon = 1\n", "f:1:10: error: 'daemon' is an integer, not a table; write daemon = { KEY = VALUE, … }"),
        ("[[daemon]]\n", "f:1:1: error: 'daemon' is an array, not a table; write daemon = { KEY = VALUE, … }"),
        ("[relay]\n", "f:1:1: error: 'relay' is a table, not a list of tables; write [[relay]] with double brackets"),
        ("relay = [1]\n", "f:1:10: error: [[relay]] is an integer, not a table; write [[relay]]"),
        (
            "[daemon]\nlog-connections = \"yes\"\n",
            "f:2:19: error: 'log-connections' is a string, not a boolean; write true or false, without quotes"
        ),
        (
            "[limits]\nconnections = 1.5\n",
            "f:2:15: error: 'connections' is a float, not an integer; write a whole number from 0 to 10000000, without quotes"
        ),
        (
            "[daemon]\nthreads = \"two\"\n",
            "f:2:11: error: 'threads' is text, not a number; write \"auto\", or a number from 1 to 1024 without quotes"
        ),
        ("[paths]\nexclude = \"lo\"\n", "f:2:11: error: 'exclude' is a string, not a list; write exclude = [ … ]"),
        (
            "[daemon]\ndrain-timeout = 30\n",
            "f:2:17: error: 'drain-timeout' is a number without unit; write \"30s\", if seconds are meant"
        ),
        (
            "[daemon]\ndrain-timeout = 1979-05-27\n",
            "f:2:17: error: 'drain-timeout' is a date or time, not a string; write a duration such as \"30s\""
        ),
        // Bad values.
        (
            "[daemon]\nthreads = 0\n",
            "f:2:11: error: 'threads' is 0, which is out of range; write a whole number from 1 to 1024"
        ),
        ("[daemon]\nlog-level = \"inof\"\n", "f:2:13: error: 'log-level' cannot be \"inof\"; write \"info\""),
        (
            "[daemon]\nlog-format = \"xml\"\n",
            "f:2:14: error: 'log-format' cannot be \"xml\"; write one of \"auto\", \"text\", \"json\", \"journal\""
        ),
        (
            "[daemon]\ndrain-timeout = \"8d\"\n",
            "f:2:17: error: 'drain-timeout' is \"8d\", which is out of range; write \"1ms\" to \"7d\", or \"0s\""
        ),
        (
            "[daemon]\ndrain-timeout = \"30\"\n",
            "f:2:17: error: 'drain-timeout' is \"30\", which is no duration; write a number with ms, s, m, h or d, such as \"30s\""
        ),
        (
            "[admin]\nsocket = \"admin.sock\"\n",
            "f:2:10: error: 'socket' is \"admin.sock\", which is no absolute path; write the whole path, beginning with /"
        ),
        ("[admin]\nhttp = \"127.0.0.1\"\n", "f:2:8: error: 'http' has \"127.0.0.1\" without port; write HOST:PORT"),
        // Missing.
        (
            "[[relay]]\nlisten = \"tcp://*:1\"\n",
            "f:1:1: error: [[relay]] has no 'upstream'; add upstream = \"mptcp://gateway.example.net:7143\""
        ),
        (
            "[[relay]]\nupstream = \"echo://\"\n",
            "f:1:1: error: [[relay]] has no 'listen'; add listen = \"tcp://127.0.0.1:8080\""
        ),
        (
            "[[paths.link]]\n",
            "f:1:1: error: [[paths.link]] has no 'interface'; add interface = \"NAME\" (or address = \"ADDRESS\")"
        ),
        // Syntax.
        (
            "[daemon\n",
            "f:1:8: error: not valid TOML in table header: expected ']', saw '\\n'; correct it as https://toml.io/en/v1.0.0 says"
        ),
        (
            "[limits]\nconnections = 99999999999999999999\n",
            "f:2:35: error: not valid TOML in decimal integer: '99999999999999999999' is not representable in 64 bits; write a number that fits in 64 bits"
        ),
        (
            "[limits]\nconnections = 1\nconnections = 2\n",
            "f:3:1: error: not valid TOML in key-value pair: cannot redefine existing integer 'connections'; remove one of the two"
        ),
        (
            "[limits]\n[limits]\n",
            "f:2:1: error: not valid TOML in table header: cannot redefine existing table 'limits'; remove one of the two"
        ),
    ])
    func is_exact(text: String, expected: String) {
        #expect(diagnose(text) == [expected])
    }

    @Test func all_of_a_file_come_in_one_run_in_order() {
        let text = """
            colour = "blue"
            [daemon]
            threads = "many"
            log-level = "loud"
            [[relay]]
            name = "a b"
            listen = ["tcp://127.0.0.1", "udp://*:1", 7]
            idle-timeout = "soon"
            socket = { keepalive = "0.5s", listen = { markk = 1 } }
            [[relay]]
            upstream = "echo://"
            tls.listen.certificate = 1
            """
        #expect(
            diagnose(text) == [
                "f:1:1: error: unknown key 'colour' at the top level; it knows admin, daemon, include, limits, paths, relay",
                "f:3:11: error: 'threads' is text, not a number; write \"auto\", or a number from 1 to 1024 without quotes",
                "f:4:13: error: 'log-level' cannot be \"loud\"; write one of \"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\", \"critical\"",
                "f:5:1: error: [[relay]] has no 'upstream'; add upstream = \"mptcp://gateway.example.net:7143\"",
                "f:6:8: error: 'name' is \"a b\", which is no name; write 1 to 64 letters, digits, dots, underscores and hyphens",
                "f:7:11: error: 'listen' has \"tcp://127.0.0.1\" without port; write HOST:PORT",
                "f:7:30: error: 'listen' cannot be a udp:// address; it takes tcp://, mptcp://, unix://, fd://, socks5://, http://, transparent://, convert://",
                "f:7:43: error: 'listen' is an integer, not a string; write an address such as \"tcp://127.0.0.1:8080\"",
                "f:8:16: error: 'idle-timeout' is \"soon\", which is no duration; write a number with ms, s, m, h or d, such as \"30s\"",
                "f:9:24: error: 'keepalive' is \"500ms\", which is out of range; write \"1s\" to \"32767s\", or \"0s\"",
                "f:9:43: error: unknown key 'markk' in 'socket.listen'; write 'mark'",
                "f:10:1: error: [[relay]] has no 'listen'; add listen = \"tcp://127.0.0.1:8080\"",
                "f:12:26: error: 'certificate' is an integer, not a string; write an absolute path in \"quotes\"",
            ])
    }

    @Test func a_syntax_error_does_not_hide_the_others() {
        let text = """
            [daemon]
            threads = two
            log-level = "loud"
            [[relay]]
            listen = "tcp://127.0.0.1:1"
            listen = "tcp://127.0.0.1:2"
            upstream = "echo://
            idle_timeout = "1s"
            [daemon]
            anything = "here is not looked at"
            [limits]
            connections = -1
            """
        let errors = diagnose(text)
        #expect(
            errors.map { $0.prefix { $0 != " " } } == [
                "f:2:12:", "f:3:13:", "f:6:1:", "f:7:20:", "f:8:1:", "f:9:1:", "f:12:15:",
            ])
        // Nothing about what is missing: it may be in what was left out.
        #expect(!errors.contains { $0.contains("has no") })
    }

    @Test func an_endless_list_of_errors_ends() {
        let errors = diagnoseRelay("allow = [" + String(repeating: "1,", count: 5000) + "]")
        #expect(errors.count == 1001)
        #expect(errors.last?.hasSuffix("there are more errors; mend these first") == true)
    }
}
