/// How much may wait to be sent: before Linux 6.9 in each subflow's own queue, since then in the connection's.
///
/// What has been given to a subflow goes out over its link and no other. When another link dies, what was on its way there comes
/// behind that queue, and new bytes find the receiver's window used up by it.
enum UnsentCheck {
    static let name = "unsent"
    /// Measured on two links of 10 Mbit/s: as quick as a quarter of it, and no slower in bulk than without.
    private static let wanted = 65_536
    private static let most = 262_144

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.ipv4.tcp_notsent_lowat"
        guard let value = host.number(setting) else { return [Finding(.pass, name, "this kernel has no \(setting)")] }
        if value > most {
            return [
                Finding(
                    .warn, name,
                    "bulk may wait longer when a link dies, for what is queued has no bound: \(setting) is \(value)",
                    Sysctl.set(setting, "\(wanted)"))
            ]
        }
        return [Finding(.pass, name, "\(value / 1024) KiB may wait to be sent")]
    }
}
