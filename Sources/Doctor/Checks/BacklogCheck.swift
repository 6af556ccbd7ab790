internal import Configuration

/// Whether joins find room at a listener.
enum BacklogCheck {
    static let name = "backlog"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.core.somaxconn"
        guard let value = host.number(setting) else { return [Finding(.pass, name, "\(setting) cannot be read")] }
        if value >= 4096 { return [Finding(.pass, name, "\(setting) is \(value)")] }
        let listeners = host.settings.map { $0.relays.reduce(0) { $0 + $1.listen.count } } ?? 0
        let whose = listeners == 0 ? "listeners get" : "the \(listeners) listeners of the configuration get"
        return [
            Finding(
                .warn, name,
                "\(whose) a backlog of \(value) (\(setting)): it bounds MPTCP joins too, and a join that finds it full is lost for good",
                Sysctl.set(setting, "16384"))
        ]
    }
}

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
