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
