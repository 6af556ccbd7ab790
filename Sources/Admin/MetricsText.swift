/// Prometheus' text format, version 0.0.4.
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    init(_ metrics: MetricsView) {
        daemon(metrics)
        relays(metrics)
        connects(metrics.relays)
        links(metrics)
        loops(metrics.loops)
    }

    // MARK: What there is

    private mutating func daemon(_ metrics: MetricsView) {
        family("braid_build_info", "gauge", "The running version; always 1.")
        sample("braid_build_info", [("version", metrics.status.version)], 1)
        family("braid_uptime_seconds", "gauge", "How long the daemon has been running.")
        sample("braid_uptime_seconds", [], metrics.status.uptimeSeconds)
        family("braid_ready", "gauge", "Whether every listener accepts.")
        sample("braid_ready", [], metrics.status.ready && !metrics.status.draining ? 1 : 0)
        family("braid_config_reloads_total", "counter", "Reloads of the configuration, by result.")
        sample("braid_config_reloads_total", [("result", "success")], metrics.reloadsGood)
        sample("braid_config_reloads_total", [("result", "failure")], metrics.reloadsFailed)
    }

    private mutating func relays(_ metrics: MetricsView) {
        let relays = metrics.status.relays
        family("braid_connections", "gauge", "Connections that are open now.")
        for relay in relays { sample("braid_connections", [("relay", relay.name)], relay.open) }
        family("braid_connections_accepted_total", "counter", "Connections that were accepted.")
        for relay in relays { sample("braid_connections_accepted_total", [("relay", relay.name)], relay.accepted) }
        family("braid_connections_total", "counter", "Connections that ended, by result.")
        for relay in metrics.relays {
            for (word, count) in relay.results {
                sample("braid_connections_total", [("relay", relay.name), ("result", word)], count)
            }
        }
        family(
            "braid_multipath_connections_total", "counter", "Connections that ended, by whether they were multipath.")
        for relay in metrics.relays {
            for (word, count) in relay.outcomes {
                sample("braid_multipath_connections_total", [("relay", relay.name), ("outcome", word)], count)
            }
        }
        family("braid_bytes_total", "counter", "Bytes relayed: up is from clients to upstreams.")
        for relay in relays {
            sample("braid_bytes_total", [("relay", relay.name), ("direction", "up")], relay.bytesUp)
            sample("braid_bytes_total", [("relay", relay.name), ("direction", "down")], relay.bytesDown)
        }
        family("braid_upstream_up", "gauge", "Whether an upstream could be reached when it was tried last.")
        for relay in relays {
            for upstream in relay.upstreams {
                let labels = [("relay", relay.name), ("upstream", upstream.address)]
                sample("braid_upstream_up", labels, upstream.healthy ? 1 : 0)
            }
        }
        family("braid_upstream_connections", "gauge", "Connections to an upstream that are open now.")
        for relay in relays {
            for upstream in relay.upstreams {
                let labels = [("relay", relay.name), ("upstream", upstream.address)]
                sample("braid_upstream_connections", labels, upstream.connections)
            }
        }
    }

    private mutating func connects(_ relays: [RelayMetrics]) {
        let name = "braid_connect_seconds"
        family(name, "histogram", "Time from accepting a client to being connected to its upstream.")
        for relay in relays {
            histogram(
                name, ("relay", relay.name), bounds: relay.connectBounds, counts: relay.connects,
                sum: relay.connectSeconds)
        }
    }

    private mutating func loops(_ loops: [LoopMetrics]) {
        let name = "braid_loop_turn_seconds"
        family(name, "histogram", "How long an event loop was at work before it looked for new work.")
        for (index, loop) in loops.enumerated() {
            histogram(name, ("loop", String(index)), bounds: loop.bounds, counts: loop.turns, sum: loop.seconds)
        }
        family("braid_loop_longest_turn_seconds", "gauge", "The longest of these times since the start.")
        for (index, loop) in loops.enumerated() {
            sample("braid_loop_longest_turn_seconds", [("loop", String(index))], loop.longestSeconds)
        }
    }

    private mutating func links(_ metrics: MetricsView) {
        let links = metrics.status.links
        family("braid_link_up", "gauge", "Whether a link can be used.")
        for link in links { sample("braid_link_up", [("link", link.name)], link.state == "up" ? 1 : 0) }
        family("braid_link_backup", "gauge", "Whether a link carries data only while no other does.")
        for link in links { sample("braid_link_backup", [("link", link.name)], link.backup ? 1 : 0) }
        family("braid_link_rtt_seconds", "gauge", "Smoothed round-trip time over the subflows of a link.")
        for link in links {
            guard let rtt = link.rttUs else { continue }
            sample("braid_link_rtt_seconds", [("link", link.name)], Double(rtt) / 1e6)
        }
        family("braid_link_bytes_total", "counter", "Payload carried by the subflows of a link.")
        for link in links {
            sample("braid_link_bytes_total", [("link", link.name), ("direction", "sent")], link.bytesSent)
            sample("braid_link_bytes_total", [("link", link.name), ("direction", "received")], link.bytesReceived)
        }
        family("braid_link_subflows", "gauge", "Subflows of a link now.")
        for link in links { sample("braid_link_subflows", [("link", link.name)], link.subflows) }
        family("braid_link_retransmits_total", "counter", "Segments that were sent again over a link.")
        for link in links { sample("braid_link_retransmits_total", [("link", link.name)], link.retransmits) }
        family("braid_subflow_failovers_total", "counter", "Subflows that were left because their link failed.")
        for (link, count) in metrics.failovers {
            sample("braid_subflow_failovers_total", [("link", link)], count)
        }
    }

    // MARK: How it is written

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    private mutating func histogram(
        _ name: String, _ label: (String, String), bounds: [Double], counts: [UInt64], sum: Double
    ) {
        var below: UInt64 = 0
        for (bound, count) in zip(bounds, counts) {
            below += count
            sample("\(name)_bucket", [label, ("le", Self.number(bound))], below)
        }
        let all = counts.reduce(0, +)
        sample("\(name)_bucket", [label, ("le", "+Inf")], all)
        sample("\(name)_sum", [label], sum)
        sample("\(name)_count", [label], all)
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: some BinaryInteger) {
        line(name, labels, String(value))
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        line(name, labels, Self.number(value))
    }

    private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
        let list = labels.map { "\($0.0)=\"\(Self.escape($0.1))\"" }.joined(separator: ",")
        text += list.isEmpty ? "\(name) \(value)\n" : "\(name){\(list)} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : value.description
    }

    private static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 34 || $0 == 92 || $0 == 10 }) else { return text }
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\"": escaped += "\\\""
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
