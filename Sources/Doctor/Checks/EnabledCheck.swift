internal import MultipathTCP

/// `net.mptcp.enabled`
enum EnabledCheck {
    static let name = "mptcp-enabled"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.enabled"
        if host.support == .never { return [] }
        guard let value = host.sysctls[setting] else {
            return [Finding(.pass, name, "\(setting) cannot be read (no /proc/sys/net/mptcp here)")]
        }
        if value == "0" {
            return [Finding(.fail, name, "MPTCP is switched off: \(setting) is 0", Sysctl.set(setting, "1"))]
        }
        return [Finding(.pass, name, "\(setting) is \(value)")]
    }
}
