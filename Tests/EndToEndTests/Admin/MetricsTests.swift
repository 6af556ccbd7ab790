import FoundationEssentials
import Glibc
import Lab
import Testing

/// Metrics in Prometheus' text format.
private struct Exposition {
    /// By name and labels, as they are written.
    private var samples: [String: Double] = [:]
    /// The types of the families.
    private(set) var types: [String: String] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix("# TYPE "), words.count == 4 { types[words[2]] = words[3] }
            guard !line.hasPrefix("#"), let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
    }

    subscript(sample: String) -> Double? { samples[sample] }

    /// Samples of no family.
    var strays: [String] {
        samples.keys.filter { sample in
            let name = String(sample.prefix { $0 != "{" })
            if types[name] != nil { return false }
            return !["_bucket", "_sum", "_count"].contains { ending in
                name.hasSuffix(ending) && types[String(name.dropLast(ending.count))] == "histogram"
            }
        }
    }
}

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
                    // It listens before it is ready.
                    guard answer.status == 200 else { return nil }
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

        /// What there is of each family, and what a failover and a reload add.
        @Test func linksAndReloads() async throws {
            try await Lab.with { lab in
                let paths = try PathsLab.make(in: lab)
                _ = try await paths.startFar(upstream: "echo://")
                let section = PathsLab.managed + "[admin]\nhttp = \"127.0.0.1:9180\"\n"
                let braid = try await paths.startNear(paths: section)
                func metrics() throws -> Exposition {
                    Exposition(try paths.near.run("curl", "-sS", "http://127.0.0.1:9180/metrics").standardOutput)
                }
                let peer = try Peer(in: paths.near)
                try await peer.must("c connect 127.0.0.1 8080")
                try await peer.must("c send hello")
                #expect(try await peer.must("c read 5") == "hello")
                try await paths.until("two subflows") { try paths.subflows() == [2] }
                func talk(until isSo: (Exposition) -> Bool) async throws -> Exposition {
                    let deadline = ContinuousClock.now + .seconds(20)
                    while true {
                        try await peer.must("c send hello")
                        try await peer.must("c read 5")
                        let now = try metrics()
                        if isSo(now) || ContinuousClock.now > deadline { return now }
                    }
                }
                let before = try await talk { now in
                    ["wifi", "lte"].allSatisfy { now["braid_link_subflows{link=\"\($0)\"}"] == 1 }
                        && now["braid_link_bytes_total{link=\"wifi\",direction=\"sent\"}"] ?? 0 > 0
                }
                for name in Self.names { #expect(before.types[name] != nil, "\(name)") }
                #expect(before.strays == [], "every sample belongs to a family")
                for link in ["wifi", "lte"] {
                    #expect(before["braid_link_up{link=\"\(link)\"}"] == 1)
                    #expect(before["braid_link_backup{link=\"\(link)\"}"] == 0)
                    #expect(before["braid_link_subflows{link=\"\(link)\"}"] == 1)
                    #expect(before["braid_subflow_failovers_total{link=\"\(link)\"}"] == 0)
                    #expect(before["braid_link_retransmits_total{link=\"\(link)\"}"] != nil)
                }
                #expect(before["braid_link_bytes_total{link=\"wifi\",direction=\"received\"}"] ?? 0 >= 5)
                #expect(before["braid_link_rtt_seconds{link=\"wifi\"}"].map { (0.015...0.3).contains($0) } == true)
                #expect(before["braid_config_reloads_total{result=\"success\"}"] == 0)

                try paths.wifi.carrier(down: true)
                try await braid.record("link-down")
                let after = try await talk { $0["braid_link_subflows{link=\"wifi\"}"] == 0 }
                #expect(after["braid_link_up{link=\"wifi\"}"] == 0)
                #expect(after["braid_link_up{link=\"lte\"}"] == 1)
                #expect(after["braid_subflow_failovers_total{link=\"wifi\"}"] ?? 0 >= 1)
                #expect(after["braid_link_subflows{link=\"wifi\"}"] == 0)

                try braid.signal(SIGHUP)
                try await braid.record("configuration-reloaded")
                let reloaded = try metrics()
                #expect(reloaded["braid_config_reloads_total{result=\"success\"}"] == 1)
                #expect(reloaded["braid_config_reloads_total{result=\"failure\"}"] == 0)
            }
        }

        /// The alerts fire when they should, and not before.
        @Test func alertsFire() async throws {
            try Lab.with { lab in
                let host = try lab.host("alone")
                let directory = try TemporaryDirectory()
                let tests = """
                    rule_files: ["\(Self.contributed("prometheus/braid-alerts.yml"))"]
                    evaluation_interval: 15s
                    tests:
                      - interval: 15s
                        input_series:
                          - { series: 'up{job="braid", instance="gw"}', values: '1x3 0x20' }
                          - { series: 'braid_link_up{instance="gw", link="wifi"}', values: '1x3 0x40' }
                          - { series: 'braid_link_up{instance="gw", link="lte"}', values: '1x15 0x40' }
                          - { series: 'braid_upstream_up{instance="gw", relay="near", upstream="mptcp://far:1"}', values: '0x60' }
                          - { series: 'braid_config_reloads_total{instance="gw", result="failure"}', values: '0x8 1x60' }
                        alert_rule_test:
                          - { eval_time: 1m, alertname: BraidDown, exp_alerts: [] }
                          - eval_time: 3m
                            alertname: BraidDown
                            exp_alerts: [{ exp_labels: { severity: critical, job: braid, instance: gw }, exp_annotations: { summary: "Braid on gw does not answer" } }]
                          - { eval_time: 1m30s, alertname: BraidLinkDown, exp_alerts: [] }
                          - eval_time: 3m
                            alertname: BraidLinkDown
                            exp_alerts: [{ exp_labels: { severity: warning, instance: gw, link: wifi }, exp_annotations: { summary: "Link wifi of gw is down", description: "braid paths says why; connections go on over the other links." } }]
                          - { eval_time: 3m, alertname: BraidNoLink, exp_alerts: [] }
                          - eval_time: 6m
                            alertname: BraidNoLink
                            exp_alerts: [{ exp_labels: { severity: critical, instance: gw }, exp_annotations: { summary: "No link of gw is up" } }]
                          - { eval_time: 1m, alertname: BraidUpstreamDown, exp_alerts: [] }
                          - eval_time: 3m
                            alertname: BraidUpstreamDown
                            exp_alerts: [{ exp_labels: { severity: critical, instance: gw, relay: near, upstream: "mptcp://far:1" }, exp_annotations: { summary: "Upstream mptcp://far:1 of relay near cannot be reached" } }]
                          - { eval_time: 1m, alertname: BraidReloadFailed, exp_alerts: [] }
                          - eval_time: 4m
                            alertname: BraidReloadFailed
                            exp_alerts: [{ exp_labels: { severity: warning, instance: gw, result: failure }, exp_annotations: { summary: "Braid on gw refused its new configuration and runs on with the old one" } }]
                      - interval: 1m
                        input_series:
                          - { series: 'braid_multipath_connections_total{instance="gw", relay="near", outcome="yes"}', values: '0+70x60' }
                          - { series: 'braid_multipath_connections_total{instance="gw", relay="near", outcome="fallback"}', values: '0+30x60' }
                          - { series: 'braid_multipath_connections_total{instance="gw", relay="good", outcome="yes"}', values: '0+95x60' }
                          - { series: 'braid_multipath_connections_total{instance="gw", relay="good", outcome="fallback"}', values: '0+5x60' }
                          - { series: 'braid_link_retransmits_total{instance="gw", link="lte"}', values: '0+1800x60' }
                          - { series: 'braid_link_retransmits_total{instance="gw", link="wifi"}', values: '0+600x60' }
                          - { series: 'braid_connect_seconds_bucket{instance="gw", relay="near", le="1"}', values: '0+5x60' }
                          - { series: 'braid_connect_seconds_bucket{instance="gw", relay="near", le="4"}', values: '0+10x60' }
                          - { series: 'braid_connect_seconds_bucket{instance="gw", relay="near", le="+Inf"}', values: '0+10x60' }
                        alert_rule_test:
                          - { eval_time: 5m, alertname: BraidFallback, exp_alerts: [] }
                          - eval_time: 30m
                            alertname: BraidFallback
                            exp_alerts: [{ exp_labels: { severity: warning, instance: gw, relay: near }, exp_annotations: { summary: "More than a tenth of the connections of relay near fall back to plain TCP", description: "braid doctor HOST:PORT finds what on the path strips MPTCP." } }]
                          - { eval_time: 5m, alertname: BraidLossyLink, exp_alerts: [] }
                          - eval_time: 30m
                            alertname: BraidLossyLink
                            exp_alerts: [{ exp_labels: { severity: warning, instance: gw, link: lte }, exp_annotations: { summary: "Link lte of gw loses many segments" } }]
                          - { eval_time: 5m, alertname: BraidSlowConnects, exp_alerts: [] }
                          - eval_time: 30m
                            alertname: BraidSlowConnects
                            exp_alerts: [{ exp_labels: { severity: warning, instance: gw, relay: near }, exp_annotations: { summary: "A tenth of the connections of relay near take more than two seconds to connect" } }]
                    """
                let file = try directory.write(tests, to: "alerts.test.yml")
                let tested = try host.run(["promtool", "test", "rules", file], expecting: nil)
                #expect(tested.status == .exited(0), "\(tested.standardOutput)\(tested.standardError)")
            }
        }

        /// A file of `contrib`.
        static func contributed(_ path: String) -> String {
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("contrib/\(path)").path
        }
    }
}
