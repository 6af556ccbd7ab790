internal import MultipathTCP

/// Whether one lost SYN switches MPTCP off for the whole host, and whether it has.
enum BlackholeCheck {
    static let name = "blackhole"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.blackhole_timeout"
        let times = host.counters?["MPTcpExtBlackhole"] ?? 0
        let dropped = host.counters?["MPTcpExtMPCapableSYNTXDrop"] ?? 0
        let disabled = host.counters?["MPTcpExtMPCapableSYNTXDisabled"] ?? 0
        guard let seconds = host.number(setting) else {
            return [Finding(.pass, name, "this kernel has no blackhole detection")]
        }
        if seconds == 0 {
            let history = dropped == 0 ? "" : "; \(dropped) SYNs with MPTCP got no answer since boot"
            return [Finding(.pass, name, "detection is off\(history)")]
        }
        // What writes the setting also clears the state.
        if times > 0 || disabled > 0 {
            return [
                Finding(
                    .fail, name,
                    "a SYN with MPTCP got no answer \(dropped) times, and the kernel has dialled plain TCP to everyone for "
                        + "\(seconds) s or more (\(disabled) connections so far): \(setting) is \(seconds)",
                    Sysctl.set(setting, "0"))
            ]
        }
        return [
            Finding(
                .warn, name,
                "one lost SYN (an outage of 3 s while connecting) will turn MPTCP off for the whole host for \(seconds) s: "
                    + "\(setting) is \(seconds)", Sysctl.set(setting, "0"))
        ]
    }
}
