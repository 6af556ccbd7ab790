internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// Whether the kernel drops what comes in by a link because it would answer by another one.
enum ReversePathCheck {
    static let name = "rp-filter"

    static func examine(_ host: HostState) -> [Finding] {
        let uplinks = host.uplinks
        let all = host.number("net.ipv4.conf.all.rp_filter") ?? 0
        // The larger of the two counts.
        let strict = uplinks.filter { uplink in
            max(all, host.number("net.ipv4.conf.\(uplink.interface.name).rp_filter") ?? 0) == 1
        }
        let dropped = host.counters?["TcpExtIPReversePathFilter"] ?? 0
        let history = dropped == 0 ? "" : "; \(dropped) packets dropped by it since boot (TcpExtIPReversePathFilter)"
        guard uplinks.count > 1, !strict.isEmpty else {
            return [Finding(.pass, name, (strict.isEmpty ? "off or loose" : "strict, with one link") + history)]
        }
        let unruled = strict.filter { uplink in
            uplink.addresses.contains {
                $0.family == .ipv4 && host.ways[$0]?.bySource?.interface != uplink.interface.index
            }
        }
        let names = strict.map(\.name).joined(separator: ", ")
        let fix = Sysctl.set("net.ipv4.conf.all.rp_filter", "2")
        if unruled.isEmpty {
            return [
                Finding(
                    .warn, name,
                    "strict on \(names) with \(uplinks.count) links: it works only as long as every link has its rule and table\(history)",
                    fix)
            ]
        }
        return [
            Finding(
                .fail, name,
                "strict on \(names) with \(uplinks.count) links: what comes in by \(unruled.map(\.name).joined(separator: ", ")) "
                    + "is dropped silently\(history)", fix)
        ]
    }
}
