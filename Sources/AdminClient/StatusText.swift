public import Admin

extension StatusView {
    /// What `braid status` prints.
    public func lines(colour: Bool) -> [String] {
        let state = draining ? "stopping" : ready ? "ready" : "starting"
        let count = connections == 1 ? "1 connection" : "\(connections) connections"
        var lines = [
            "Braid \(version), process \(pid), up \(Units.duration(uptimeSeconds)): "
                + Colour.paint(state, colour ? (ready && !draining ? .good : .warning) : nil) + ", \(count)",
            "",
        ]
        lines += relayTable.lines(colour: colour)
        if !links.isEmpty { lines += [""] + LinkView.table(links).lines(colour: colour) }
        return lines
    }

    private var relayTable: Table {
        var table = Table([
            ("RELAY", .left), ("OPEN", .right), ("ACCEPTED", .right), ("REFUSED", .right), ("FAILED", .right),
            ("UP", .right), ("DOWN", .right), ("MULTIPATH", .right), ("FELL BACK", .right), ("LISTEN", .left),
            ("UPSTREAM", .left),
        ])
        for relay in relays {
            table.add([
                .init(relay.name), .init("\(relay.open)"), .init("\(relay.accepted)"), .init("\(relay.refused)"),
                .init("\(relay.failed)", relay.failed > 0 ? .warning : nil), .init(Units.bytes(relay.bytesUp)),
                .init(Units.bytes(relay.bytesDown)), .init("\(relay.multipath)"),
                .init("\(relay.fallback)", relay.fallback > 0 ? .warning : nil),
                .init(relay.listen.joined(separator: " ")),
                .init(
                    relay.upstreams.map(\.line).joined(separator: " "),
                    relay.upstreams.contains { !$0.healthy || $0.draining } ? .warning : nil),
            ])
        }
        return table
    }
}

extension UpstreamView {
    /// The address, and what keeps connections from it.
    public var line: String {
        let notes = (healthy ? [] : ["down"]) + (draining ? ["draining, \(connections) open"] : [])
        return notes.isEmpty ? address : "\(address) (\(notes.joined(separator: ", ")))"
    }
}
