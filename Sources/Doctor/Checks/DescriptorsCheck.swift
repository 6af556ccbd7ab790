internal import Configuration

/// Whether the daemon can hold as many connections as it is told to.
enum DescriptorsCheck {
    static let name = "descriptors"

    static func examine(_ host: HostState) -> [Finding] {
        // Two sockets, and two pipes of two ends while data flows.
        let connections = host.settings?.limits.connections ?? 0
        let needed = max(4096, connections * 6)
        guard host.descriptorLimit > 0, host.descriptorLimit < needed else {
            return [Finding(.pass, name, "\(host.descriptorLimit) at most")]
        }
        let reason = connections > 0 ? "\(connections) connections need up to \(needed)" : "room for few connections"
        return [
            Finding(
                .warn, name, "a process may open \(host.descriptorLimit) descriptors only: \(reason)",
                [
                    .command("prlimit --pid $$ --nofile=\(max(needed, 65536))"),
                    .advice("for the service: LimitNOFILE=\(max(needed, 65536)) in [Service] of its unit"),
                ])
        ]
    }
}
