public import Admin

extension PathsView {
    /// What `braid paths` prints.
    public func lines(colour: Bool) -> [String] {
        var lines: [String] = []
        if links.isEmpty {
            lines.append("No links are configured ([[paths.link]]): the kernel's own endpoints decide.")
        } else {
            lines += LinkView.table(links).lines(colour: colour)
        }
        let owner = managed ? "managed by Braid" : "not managed by Braid"
        let known = limits.subflows >= 0
        lines += [
            "",
            "Kernel (\(owner)): "
                + (known
                    ? "up to \(limits.subflows) subflows besides the first, \(limits.announced) announced addresses accepted"
                    : "its path manager does not answer"),
        ]
        if known, endpoints.isEmpty { lines.append("No endpoints: connections have their first subflow only.") }
        if !endpoints.isEmpty {
            var table = Table([("ENDPOINT", .right), ("ADDRESS", .left), ("INTERFACE", .left), ("FLAGS", .left)])
            for endpoint in endpoints {
                table.add([
                    .init("\(endpoint.id)"), .init(endpoint.address), .init(endpoint.interface ?? "-"),
                    .init(endpoint.flags.joined(separator: " ")),
                ])
            }
            lines += [""] + table.lines(colour: colour)
        }
        return lines
    }
}

extension LinkView {
    /// One line for `braid link`.
    public var line: String {
        let role = backup ? "backup\(reason.map { " (\($0))" } ?? "")" : "in use"
        return "\(name): \(state), \(role)"
    }

    static func table(_ links: [LinkView]) -> Table {
        var table = Table([
            ("LINK", .left), ("STATE", .left), ("ROLE", .left), ("INTERFACE", .left), ("ADDRESS", .left),
            ("RTT", .right), ("LOSS", .right), ("SUBFLOWS", .right), ("SENT", .right), ("RECEIVED", .right),
        ])
        for link in links {
            let role = link.backup ? "backup\(link.reason.map { " (\($0))" } ?? "")" : "primary"
            table.add([
                .init(link.name), .init(link.state, link.state == "up" ? .good : .bad),
                .init(role, link.backup ? .warning : nil), .init(link.interface ?? "-"), .init(link.address ?? "-"),
                .init(link.rttUs.map { Units.roundTrip(microseconds: $0) } ?? "-"),
                .init(link.loss.map { Units.share($0) } ?? "-"), .init("\(link.subflows)"),
                .init(Units.bytes(link.bytesSent)), .init(Units.bytes(link.bytesReceived)),
            ])
        }
        return table
    }
}
