import Lab
import Testing

extension EndToEndSuite {
    /// A host whose connections a router redirects: no application changed, IPv4 and IPv6.
    @Suite(.serialized) struct TransparentTests {
        private static let config = """
            [[relay]]
            name = "all"
            listen = "transparent://*:15001"
            upstream = "direct+tcp://"
            insecure-open-relay = true
            socket.upstream.mark = 7

            """

        private func withRouter(
            _ rules: String,
            _ body: (_ client: Host, _ router: Host, _ targets: [String], BraidProcess) async throws -> Void
        ) async throws {
            try await Lab.with { lab in
                let client = try lab.host("client")
                let router = try lab.host("router")
                let server = try lab.host("server")
                let inside = try lab.cable(client, router, name: "inside")
                let outside = try lab.cable(router, server, name: "outside")
                try client.run("ip", "route", "add", "default", "via", inside.address(of: router))
                try client.run("ip", "-6", "route", "add", "default", "via", inside.address6(of: router))
                try await WhoAmIServer.start(in: server)
                let braid = try await BraidProcess.start(Self.config, in: router)
                let directory = try TemporaryDirectory()
                try router.run("nft", "-f", try directory.write(rules, to: "rules"))
                let targets = [
                    "http://\(outside.address(of: server)):9000/", "http://[\(outside.address6(of: server))]:9000/",
                ]
                try await body(client, router, targets, braid)
            }
        }

        @Test func redirect() async throws {
            let rules = """
                table inet braid {
                    chain prerouting { type nat hook prerouting priority dstnat; iifname "inside" tcp dport 9000 redirect to :15001; }
                    chain output { type nat hook output priority -100; meta mark 7 return; tcp dport 9000 redirect to :15001; }
                }

                """
            try await withRouter(rules) { client, router, targets, braid in
                for target in targets {
                    #expect(try client.curl(target).hasSuffix(" 200"))
                    // The router's own connections as well, but not Braid's: they carry the mark.
                    #expect(try router.curl(target).hasSuffix(" 200"))
                }
                let records = try await braid.connections(4)
                #expect(records.allSatisfy { $0["destination"]?.hasSuffix(":9000") == true }, "\(records)")
                // Who comes by himself is led nowhere.
                #expect(try !client.curl("http://10.0.1.2:15001/").contains("200"))
                let refused = try await braid.connections(5)[4]
                #expect(refused.result == "refused", "\(refused)")
            }
        }

        @Test func tproxy() async throws {
            let rules = """
                table inet braid {
                    chain prerouting {
                        type filter hook prerouting priority mangle;
                        meta l4proto tcp socket transparent 1 meta mark set 1 accept
                        iifname "inside" tcp dport 9000 tproxy to :15001 meta mark set 1 accept
                    }
                }

                """
            try await withRouter(rules) { client, router, targets, braid in
                for family in ["-4", "-6"] {
                    try router.run("ip", family, "rule", "add", "fwmark", "1", "lookup", "100")
                    try router.run("ip", family, "route", "add", "local", "default", "dev", "lo", "table", "100")
                }
                for target in targets { #expect(try client.curl(target).hasSuffix(" 200")) }
                let records = try await braid.connections(2)
                #expect(
                    Set(records.map { $0["destination"] }) == ["10.0.2.2:9000", "[fd00:0:0:2::2]:9000"], "\(records)")
            }
        }
    }
}
