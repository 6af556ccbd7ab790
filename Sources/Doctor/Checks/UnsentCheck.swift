/// How much may wait in each subflow's own queue.
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
                    "bulk waits up to twice as long when a link dies, for subflows queue without bound: \(setting) is \(value)",
                    Sysctl.set(setting, "\(wanted)"))
            ]
        }
        return [Finding(.pass, name, "a subflow queues \(value / 1024) KiB beyond what is on its way")]
    }
}
