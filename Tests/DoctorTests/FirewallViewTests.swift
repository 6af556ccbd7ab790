import Testing

@testable import Doctor

/// Rules of packet filters, as their programs print them.
@Suite struct FirewallViewTests {
    private static let ruleset = """
        table inet box { # handle 1
        	set blocked { # handle 7
        		type ipv4_addr
        		elements = { 192.0.2.1 }
        	}

        	chain out { # handle 2
        		type filter hook output priority mangle; policy accept;
        		oifname "wwan0" reset tcp option mptcp # handle 3
        		tcp option 30 exists counter drop # handle 4
        		tcp option maxseg size set 1400 # handle 5
        		tcp option @30,8,4 0 reject with tcp reset # handle 6
        		tcp option mptcp subtype mp-join counter # handle 8
        	}
        }
        table ip6 other { # handle 9
        	chain in { # handle 1
        		tcp option mptcp exists drop # handle 2
        	}
        }
        """

    /// Found by fuzzing: CR LF is one Character, and what stood behind it went into the command that is to be pasted.
    @Test func aRemedyIsOneLine() {
        let text = "*filter\r\n-A FORWARD --tcp-option 30 -j DROP\r\nreboot\r\n-A INPUT --tcp-option 30 -j DROP\n"
        #expect(
            FirewallView.iptablesRules(in: text, program: "iptables").map(\.removal) == [
                "iptables -t filter -D FORWARD --tcp-option 30 -j DROP",
                "iptables -t filter -D INPUT --tcp-option 30 -j DROP",
            ])
        let windows = FirewallView.nftRules(in: Self.ruleset.split(separator: "\n").joined(separator: "\r\n"))
        #expect(windows.map(\.removal) == FirewallView.nftRules(in: Self.ruleset).map(\.removal))
    }

    @Test func nftables() {
        let rules = FirewallView.nftRules(in: Self.ruleset)
        #expect(rules.map(\.effect) == [.strips, .drops, .drops, .matches, .drops])
        #expect(
            rules.map(\.removal) == [
                "nft delete rule inet box out handle 3", "nft delete rule inet box out handle 4",
                "nft delete rule inet box out handle 6", "nft delete rule inet box out handle 8",
                "nft delete rule ip6 other in handle 2",
            ])
        #expect(rules[0].text == "oifname \"wwan0\" reset tcp option mptcp")
    }

    @Test func iptables() {
        let text = """
            *mangle
            :PREROUTING ACCEPT [0:0]
            -A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options 19,30
            -A PREROUTING -p tcp -m tcp --tcp-option 30 -m comment --comment "a b" -j DROP
            -A PREROUTING -p tcp -m tcp --tcp-option 3 -j DROP
            -A PREROUTING -p tcp -m tcp --tcp-option 30
            COMMIT
            """
        let rules = FirewallView.iptablesRules(in: text, program: "iptables")
        #expect(rules.map(\.effect) == [.strips, .drops, .matches])
        #expect(
            rules[1].removal
                == "iptables -t mangle -D PREROUTING -p tcp -m tcp --tcp-option 30 -m comment --comment \"a b\" -j DROP"
        )
    }

    @Test("what is cut off anywhere, or is something else, is no crash")
    func hostile() {
        let bytes = Array(Self.ruleset.utf8)
        for end in bytes.indices {
            let text = String(decoding: bytes[..<end], as: UTF8.self)
            _ = FirewallView.nftRules(in: text)
            _ = FirewallView.iptablesRules(in: text, program: "iptables")
        }
        for text in [
            "", "table", "chain", "# handle", "tcp option", "x tcp option # handle", "*", "-A ", "-A x --tcp-option",
            "\u{0}",
        ] {
            #expect(FirewallView.nftRules(in: text) == [])
            #expect(FirewallView.iptablesRules(in: text, program: "iptables") == [])
        }
    }
}
