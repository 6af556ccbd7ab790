public import Admin

/// What `braid connections` prints.
public enum ConnectionsText {
    /// A line a connection, and one for each of its subflows below it.
    public static func lines(_ connections: [ConnectionView], colour: Bool) -> [String] {
        if connections.isEmpty { return ["No connections."] }
        var table = Table([
            ("ID", .right), ("RELAY", .left), ("CLIENT", .left), ("UPSTREAM", .left), ("STATE", .left), ("AGE", .right),
            ("UP", .right), ("DOWN", .right), ("MULTIPATH", .left),
        ])
        for connection in connections {
            let destination = connection.destination.map { " (\($0))" } ?? ""
            table.add([
                .init("\(connection.id)"), .init(connection.relay), .init(connection.client),
                .init(connection.upstream + destination), .init(connection.state),
                .init(Units.duration(connection.ageSeconds)), .init(Units.bytes(connection.bytesUp)),
                .init(Units.bytes(connection.bytesDown)), multipath(connection),
            ])
            for subflow in connection.subflows { table.note(line(subflow, colour: colour)) }
        }
        return table.lines(colour: colour)
    }

    private static func multipath(_ connection: ConnectionView) -> Table.Cell {
        switch connection.multipath {
        case "yes": .init("yes", .good)
        case "fallback": .init("fell back\(connection.reason.map { ": \($0)" } ?? "")", .warning)
        default: .init("no")
        }
    }

    private static func line(_ subflow: SubflowView, colour: Bool) -> String {
        var parts = ["\(subflow.local) -> \(subflow.remote)"]
        if let link = subflow.link { parts.append("link \(link)") }
        parts += [
            "rtt \(Units.roundTrip(microseconds: subflow.rttUs))", "sent \(Units.bytes(subflow.bytesSent))",
            "received \(Units.bytes(subflow.bytesReceived))",
        ]
        if subflow.retransmits > 0 { parts.append("\(subflow.retransmits) retransmits") }
        if subflow.backup { parts.append("backup") }
        if subflow.state != "established" { parts.append(subflow.state) }
        return Colour.paint("          \(subflow.leg): " + parts.joined(separator: ", "), colour ? .faint : nil)
    }
}
