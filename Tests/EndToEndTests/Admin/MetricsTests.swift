import FoundationEssentials
import Lab
import Testing

extension EndToEndSuite {
    /// Metrics as Prometheus' own tools judge them.
    @Suite(.serialized) struct MetricsTests {
        static let names = [
            "braid_connections", "braid_connections_total", "braid_bytes_total", "braid_multipath_connections_total",
            "braid_connect_seconds", "braid_upstream_up", "braid_link_up", "braid_link_rtt_seconds",
            "braid_link_bytes_total", "braid_link_subflows", "braid_link_retransmits_total",
            "braid_subflow_failovers_total", "braid_config_reloads_total", "braid_build_info",
            "braid_loop_turn_seconds", "braid_loop_longest_turn_seconds",
        ]

        @Test func promtoolFindsNothingWrong() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let peer = try Peer(in: admin.host)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                try await peer.must("c read 5")
                try await peer.must("c close")
                try await admin.braid.connections(2)
                let text = try admin.reader("/metrics").body + "\n"
                for name in Self.names { #expect(text.contains("# TYPE \(name) "), "\(name)") }
                for line in [
                    "braid_connections{relay=\"near\"} 0\n",
                    "braid_connections_total{relay=\"near\",result=\"closed\"} 1\n",
                    "braid_bytes_total{relay=\"near\",direction=\"up\"} 5\n",
                    "braid_bytes_total{relay=\"far\",direction=\"down\"} 5\n",
                    "braid_multipath_connections_total{relay=\"near\",outcome=\"yes\"} 1\n",
                    "braid_connect_seconds_count{relay=\"near\"} 1\n",
                    "braid_connect_seconds_bucket{relay=\"near\",le=\"+Inf\"} 1\n",
                    "braid_upstream_up{relay=\"near\",upstream=\"mptcp://127.0.0.1:7143\"} 1\n",
                ] {
                    #expect(text.contains(line), "\(line)\(text)")
                }
                let checked = try admin.host.run(["promtool", "check", "metrics"], input: text, expecting: nil)
                #expect(checked.status == .exited(0), "\(checked.standardError)")
                #expect(checked.standardError == "", "\(checked.standardError)")
            }
        }

        @Test func prometheusScrapesIt() async throws {
            try await Lab.with { lab in
                let admin = try await AdminLab(in: try lab.host("alone"))
                let directory = try TemporaryDirectory()
                let config = try directory.write(
                    """
                    global: { scrape_interval: 1s }
                    rule_files: ["\(Self.contributed("prometheus/braid-alerts.yml"))"]
                    scrape_configs:
                      - job_name: braid
                        static_configs: [{ targets: ["127.0.0.1:9180"] }]
                    """, to: "prometheus.yml")
                _ = try admin.host.spawn([
                    "prometheus", "--config.file=\(config)", "--storage.tsdb.path=\(directory.file("data"))",
                    "--web.listen-address=127.0.0.1:9090",
                ])
                try await admin.host.waitForListener(port: 9090, timeout: .seconds(60))
                func ask(_ query: String) throws -> JSON? {
                    let answer = try admin.curl([
                        "-G", "http://127.0.0.1:9090/api/v1/query", "--data-urlencode", "query=\(query)",
                    ])
                    return try JSON.parse(answer.body)["data"]?["result"]?[0]?["value"]?[1]
                }
                try await eventually("Prometheus has scraped", within: .seconds(60)) {
                    try ask("up{job=\"braid\"}")?.text == "1"
                }
                #expect(try ask("count(braid_connections_total{relay=\"near\"})")?.text != nil)
                #expect(try ask("braid_build_info")?.text == "1")
            }
        }

        @Test func rulesAndDashboardAreRight() async throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let rules = try host.run(
                    ["promtool", "check", "rules", Self.contributed("prometheus/braid-alerts.yml")], expecting: nil)
                #expect(rules.status == .exited(0), "\(rules.standardError)")
                let example = try host.run(
                    ["promtool", "check", "config", Self.contributed("prometheus/braid.yml")], expecting: nil)
                #expect(example.status == .exited(0), "\(example.standardOutput)")
                // Every expression of the dashboard is PromQL, of metrics that there are.
                let text = try String(contentsOfFile: Self.contributed("grafana/braid.json"), encoding: .utf8)
                var rule = "groups:\n  - name: dashboard\n    rules:\n"
                var count = 0
                for panel in try JSON.parse(text)["panels"]?.list ?? [] {
                    for target in panel["targets"]?.list ?? [] {
                        let expression = try #require(target["expr"]?.text).replacing("$instance", with: ".*")
                        #expect(
                            Self.names.contains { expression.contains($0) } || expression.contains("uptime"),
                            "\(expression)")
                        rule += "      - record: panel:number\(count)\n        expr: >-\n          \(expression)\n"
                        count += 1
                    }
                }
                #expect(count > 15)
                let directory = try TemporaryDirectory()
                let file = try directory.write(rule, to: "dashboard.yml")
                let checked = try host.run(["promtool", "check", "rules", file], expecting: nil)
                #expect(checked.status == .exited(0), "\(checked.standardError)")
            }
        }

        /// A file of `contrib`.
        static func contributed(_ path: String) -> String {
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("contrib/\(path)").path
        }
    }
}
