internal import Configuration

/// Whether the configuration asks for what the process, or the installed unit, may not do.
enum CapabilitiesCheck {
    static let name = "capabilities"

    static func examine(_ host: HostState) -> [Finding] {
        guard let settings = host.settings else { return [] }
        var findings: [Finding] = []
        let reasons = reasonsForNetworkAdministration(settings)
        if !reasons.isEmpty { findings += networkAdministration(reasons.joined(separator: ", "), host) }
        let lowest = host.number("net.ipv4.ip_unprivileged_port_start") ?? 1024
        let ports = settings.relays.flatMap { $0.listen }.compactMap { $0.value.hostPort?.port }
            .filter { $0 > 0 && Int($0) < lowest }
        if let port = ports.min() {
            let unitMay = host.rights.unit?.contains("CAP_NET_BIND_SERVICE") ?? false
            if !unitMay && (host.rights.unit != nil || !host.rights.hasPrivilegedPorts) {
                findings.append(
                    Finding(
                        .fail, name,
                        "port \(port) needs CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start is \(lowest))",
                        Sysctl.set("net.ipv4.ip_unprivileged_port_start", "\(port)")))
            }
        }
        if !findings.isEmpty { return findings }
        return [
            Finding(
                .pass, name, reasons.isEmpty ? "none needed" : "CAP_NET_ADMIN, for \(reasons.joined(separator: ", "))")
        ]
    }

    private static func reasonsForNetworkAdministration(_ settings: Settings) -> [String] {
        var reasons: [String] = []
        if settings.paths.manage { reasons.append("paths.manage") }
        if settings.paths.routing { reasons.append("paths.routing") }
        for relay in settings.relays {
            if relay.listenSocket.mark != 0 || relay.upstreamSocket.mark != 0 {
                reasons.append("socket.mark of relay \(relay.name)")
            }
            for listen in relay.listen {
                if case .transparent = listen.value { reasons.append("\(listen.value)") }
            }
        }
        return reasons
    }

    private static func networkAdministration(_ reasons: String, _ host: HostState) -> [Finding] {
        if let unit = host.rights.unit {
            let granted = unit.split(separator: "\n").contains {
                $0.hasPrefix("AmbientCapabilities=") && $0.contains("CAP_NET_ADMIN")
            }
            if granted { return [] }
            let dropIn =
                "[Service]\\nCapabilityBoundingSet=CAP_NET_ADMIN\\nAmbientCapabilities=CAP_NET_ADMIN\\nPrivateUsers=no\\n"
            return [
                Finding(
                    .fail, name, "\(reasons) needs CAP_NET_ADMIN, which braid.service does not have",
                    [
                        .command(
                            "mkdir -p /etc/systemd/system/braid.service.d && printf '\(dropIn)' "
                                + ">/etc/systemd/system/braid.service.d/paths.conf && systemctl daemon-reload "
                                + "&& systemctl try-restart braid")
                    ])
            ]
        }
        if host.rights.hasNetworkAdministration { return [] }
        return [
            Finding(
                .fail, name, "\(reasons) needs CAP_NET_ADMIN, which this process does not have",
                [.command("setcap cap_net_admin+ep \"$(command -v braid)\""), .advice("or run it as root")])
        ]
    }
}
