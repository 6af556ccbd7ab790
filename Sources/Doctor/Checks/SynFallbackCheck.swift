/// After how many unanswered SYNs the kernel tries without MPTCP.
enum SynFallbackCheck {
    static let name = "syn-fallback"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.syn_retrans_before_tcp_fallback"
        guard let value = host.number(setting) else {
            return [Finding(.pass, name, "this kernel's own rule (no \(setting))")]
        }
        if value < 2 {
            return [
                Finding(
                    .warn, name, "a single lost SYN makes a connection plain TCP: \(setting) is \(value)",
                    Sysctl.set(setting, "2"))
            ]
        }
        return [Finding(.pass, name, "plain TCP is tried after \(value) SYNs without an answer")]
    }
}
