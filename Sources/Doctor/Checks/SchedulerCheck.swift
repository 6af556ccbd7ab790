/// Which packet scheduler spreads data over the subflows.
enum SchedulerCheck {
    static let name = "scheduler"

    static func examine(_ host: HostState) -> [Finding] {
        let setting = "net.mptcp.scheduler"
        guard let value = host.sysctls[setting] else {
            return [Finding(.pass, name, "this kernel has one only")]
        }
        if value == "default" { return [Finding(.pass, name, value)] }
        let available = host.sysctls["net.mptcp.available_schedulers"]?.split(separator: " ") ?? []
        let isThere = available.isEmpty || available.contains(Substring(value))
        return [
            Finding(
                isThere ? .warn : .fail, name,
                isThere
                    ? "\(setting) is \(value): Braid is measured with the kernel's default only"
                    : "\(setting) is \(value), which this kernel does not have now", Sysctl.set(setting, "default"))
        ]
    }
}
