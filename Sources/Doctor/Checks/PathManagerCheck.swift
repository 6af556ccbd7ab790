/// Whether the kernel's own path manager is the one that works.
enum PathManagerCheck {
    static let name = "path-manager"

    static func examine(_ host: HostState) -> [Finding] {
        let consequence = "endpoints have no effect, and joins are accepted only while a daemon listens for events"
        if let manager = host.sysctls["net.mptcp.path_manager"] {
            if manager == "kernel" { return [Finding(.pass, name, "the kernel's")] }
            return [
                Finding(
                    .fail, name, "net.mptcp.path_manager is \(manager): \(consequence)",
                    Sysctl.set("net.mptcp.path_manager", "kernel"))
            ]
        }
        if let type = host.sysctls["net.mptcp.pm_type"], type != "0" {
            return [
                Finding(
                    .fail, name, "net.mptcp.pm_type is \(type): \(consequence)", Sysctl.set("net.mptcp.pm_type", "0"))
            ]
        }
        return [Finding(.pass, name, "the kernel's")]
    }
}
