internal import Admin
internal import Configuration
internal import Forwarding
internal import LinuxSystem

extension AdminEvent {
    /// A connection was connected to its upstream.
    static func opened(_ opening: ConnectionOpening, _ relay: RelaySettings) -> AdminEvent {
        let upstream = relay.upstream.indices.contains(opening.upstream) ? relay.upstream[opening.upstream].value : nil
        return AdminEvent(
            .connectionOpened, "\(relay.name): \(opening.client) to \(upstream?.description ?? "-")",
            [
                ("connection", .number(opening.id)), ("relay", .text(relay.name)),
                ("client", .text(opening.client.description)), ("upstream", .text(upstream?.description ?? "")),
                ("connect_seconds", .seconds(opening.connectTime)),
            ])
    }

    /// A connection ended.
    static func closed(_ record: ConnectionRecord, _ relay: RelaySettings) -> AdminEvent {
        let upstream = relay.upstream.indices.contains(record.upstream) ? relay.upstream[record.upstream].value : nil
        return AdminEvent(
            .connectionClosed, "\(relay.name): \(record.client): \(record.result.word)",
            [
                ("connection", .number(record.id)), ("relay", .text(relay.name)),
                ("client", .text(record.client.description)), ("upstream", .text(upstream?.description ?? "")),
                ("result", .text(record.result.word)), ("multipath", .text(record.multipath.word)),
                ("bytes_up", .number(record.bytesUp)), ("bytes_down", .number(record.bytesDown)),
                ("duration_seconds", .seconds(record.duration)),
            ])
    }
}
