internal import Admin

/// What `braid top` shows: made of two looks at the daemon.
struct TopView {
    let status: StatusView
    let busiest: BusiestView
    let before: StatusView?
    let seconds: Double
    let colour: Bool
    let bar: Bar

    /// The lines, for a screen of so many.
    func lines(rows: Int) -> [String] {
        var lines = [title, multipath, ""]
        if !status.links.isEmpty { lines += links + [""] }
        lines += relays + [""]
        let room = max(0, rows - lines.count - 1)
        lines += Array(connections.prefix(room))
        while lines.count < rows - 1 { lines.append("") }
        lines.append(paint("q quits", .faint))
        return lines
    }

    private var title: String {
        let state = status.draining ? "stopping" : status.ready ? "ready" : "starting"
        let count = status.connections == 1 ? "1 connection" : "\(status.connections) connections"
        return paint("Braid \(status.version)", .strong)
            + "  up \(Units.duration(status.uptimeSeconds))  \(count)  "
            + paint(state, state == "ready" ? .good : .warning)
    }

    private var multipath: String {
        let could = busiest.multipath + busiest.fallback
        if could == 0 { return "multipath: no connection that could be" }
        var text = "multipath: \(busiest.multipath) of \(could) connections"
        if busiest.fallback > 0 {
            text += ", \(busiest.fallback) fell back"
            if let reason = busiest.reasons.first { text += " because \(reason.reason)" }
        }
        return paint(text, busiest.fallback == 0 ? .good : .warning)
    }

    // MARK: Links

    private var links: [String] {
        let rates = status.links.map { link in
            let old = before?.links.first { $0.name == link.name }
            return (out: rate(old?.bytesSent, link.bytesSent), back: rate(old?.bytesReceived, link.bytesReceived))
        }
        let fastest = rates.map { $0.out + $0.back }.max() ?? 0
        let slowest = Double(status.links.compactMap(\.rttUs).max() ?? 0)
        var table = Table([
            ("LINK", .left), ("STATE", .left), ("ROLE", .left), ("RATE", .left), ("SENDING", .right),
            ("RECEIVING", .right), ("RTT", .left), ("", .right), ("SUBFLOWS", .right), ("LOSS", .right),
        ])
        for (link, rate) in zip(status.links, rates) {
            table.add([
                .init(link.name), .init(link.state, link.state == "up" ? .good : .bad),
                .init(link.backup ? "backup" : "primary", link.backup ? .warning : nil),
                .init(bar.text(fastest > 0 ? (rate.out + rate.back) / fastest : 0), .good),
                .init(Units.rate(bytesPerSecond: rate.out)), .init(Units.rate(bytesPerSecond: rate.back)),
                .init(bar.text(slowest > 0 ? Double(link.rttUs ?? 0) / slowest : 0), .warning),
                .init(link.rttUs.map { Units.roundTrip(microseconds: $0) } ?? "-"), .init("\(link.subflows)"),
                .init(link.loss.map { Units.share($0) } ?? "-"),
            ])
        }
        return table.lines(colour: colour)
    }

    // MARK: Relays

    private var relays: [String] {
        var table = Table([
            ("RELAY", .left), ("OPEN", .right), ("ACCEPTED", .right), ("FAILED", .right), ("UP", .right),
            ("DOWN", .right), ("FELL BACK", .right), ("UPSTREAM", .left),
        ])
        for relay in status.relays {
            let old = before?.relays.first { $0.name == relay.name }
            let down = relay.upstreams.contains { !$0.healthy }
            table.add([
                .init(relay.name), .init("\(relay.open)"), .init("\(relay.accepted)"),
                .init("\(relay.failed)", relay.failed > 0 ? .warning : nil),
                .init(Units.rate(bytesPerSecond: rate(old?.bytesUp, relay.bytesUp))),
                .init(Units.rate(bytesPerSecond: rate(old?.bytesDown, relay.bytesDown))),
                .init("\(relay.fallback)", relay.fallback > 0 ? .warning : nil),
                .init(
                    relay.upstreams.map { $0.healthy ? $0.address : "\($0.address) (down)" }.joined(separator: " "),
                    down ? .bad : nil),
            ])
        }
        return table.lines(colour: colour)
    }

    // MARK: Connections

    private var connections: [String] {
        var table = Table([
            ("ID", .right), ("RELAY", .left), ("UP", .right), ("DOWN", .right), ("BYTES", .right), ("AGE", .right),
            ("MULTIPATH", .left), ("CLIENT", .left), ("UPSTREAM", .left),
        ])
        for row in busiest.connections {
            let connection = row.connection
            let multipath: Table.Cell =
                switch connection.multipath {
                case "yes": .init(carriers(connection), .good)
                case "fallback": .init("fell back", .warning)
                default: .init("no", .faint)
                }
            table.add([
                .init("\(connection.id)"), .init(connection.relay), .init(Units.rate(bytesPerSecond: row.rateUp)),
                .init(Units.rate(bytesPerSecond: row.rateDown)),
                .init(Units.bytes(connection.bytesUp &+ connection.bytesDown)),
                .init(Units.duration(connection.ageSeconds)), multipath, .init(connection.client),
                .init(connection.destination ?? connection.upstream),
            ])
        }
        return table.lines(colour: colour)
    }

    /// The links that carry it, or how many subflows it has.
    private func carriers(_ connection: ConnectionView) -> String {
        var names: [String] = []
        for name in connection.subflows.compactMap(\.link) where !names.contains(name) { names.append(name) }
        if !names.isEmpty { return names.joined(separator: "+") }
        let count = connection.subflows.count
        return count == 1 ? "1 subflow" : "\(count) subflows"
    }

    private func rate(_ before: UInt64?, _ now: UInt64) -> Double {
        guard let before, now >= before, seconds > 0 else { return 0 }
        return Double(now - before) / seconds
    }

    private func paint(_ text: String, _ paint: Colour) -> String { Colour.paint(text, colour ? paint : nil) }
}
