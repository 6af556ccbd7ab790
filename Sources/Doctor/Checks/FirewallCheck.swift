/// Whether this host's own packet filter stands in the way.
enum FirewallCheck {
    static let name = "firewall"

    static func examine(_ host: HostState) -> [Finding] {
        let view = host.firewall
        let findings = view.rules.map { rule in
            switch rule.effect {
            case .strips:
                Finding(
                    .fail, name, "a rule removes the MPTCP option, so that connections are plain TCP: \(rule.text)",
                    [.command(rule.removal)])
            case .drops:
                Finding(
                    .fail, name, "a rule drops packets with the MPTCP option: \(rule.text)", [.command(rule.removal)])
            case .matches:
                Finding(
                    .warn, name, "a rule singles out packets with the MPTCP option: \(rule.text)",
                    [.command(rule.removal)])
            }
        }
        if !findings.isEmpty { return findings }
        if let reason = view.unseen { return [Finding(.pass, name, "not looked at: \(reason)")] }
        return [Finding(.pass, name, "no rule of \(view.seen.joined(separator: ", ")) touches MPTCP")]
    }
}
