internal import Configuration

/// Whether the congestion control that is asked for can be had.
enum CongestionCheck {
    static let name = "congestion"

    static func examine(_ host: HostState) -> [Finding] {
        let words = { (setting: String) in (host.sysctls[setting] ?? "").split(separator: " ").map(String.init) }
        let available = words("net.ipv4.tcp_available_congestion_control")
        let allowed = words("net.ipv4.tcp_allowed_congestion_control")
        let current = host.sysctls["net.ipv4.tcp_congestion_control"] ?? "unknown"
        var wanted: [String: String] = [:]
        for relay in host.settings?.relays ?? [] {
            for socket in [relay.listenSocket, relay.upstreamSocket] {
                switch socket.congestion {
                case .named(let name): wanted[name] = relay.name
                case .automatic: wanted["bbr"] = relay.name
                case .kernelDefault: break
                }
            }
        }
        var findings: [Finding] = []
        for (algorithm, relay) in wanted.sorted(by: { $0.key < $1.key }) where !available.isEmpty {
            if !available.contains(algorithm) {
                findings.append(
                    Finding(
                        .fail, name, "relay \(relay) wants \(algorithm), which this kernel has not loaded",
                        [
                            .command("modprobe tcp_\(algorithm)"),
                            .lasting("echo tcp_\(algorithm) >/etc/modules-load.d/braid-\(algorithm).conf"),
                        ]))
            } else if !allowed.contains(algorithm), algorithm != current, !host.rights.hasNetworkAdministration {
                findings.append(
                    Finding(
                        .fail, name, "relay \(relay) wants \(algorithm), which is for CAP_NET_ADMIN only",
                        Sysctl.set(
                            "net.ipv4.tcp_allowed_congestion_control", (allowed + [algorithm]).joined(separator: " "))))
            }
        }
        if !findings.isEmpty { return findings }
        return [Finding(.pass, name, "\(current); available: \(available.joined(separator: ", "))")]
    }
}
