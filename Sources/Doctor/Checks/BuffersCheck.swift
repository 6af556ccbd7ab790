/// Whether socket buffers may grow to what several links together hold under way.
enum BuffersCheck {
    static let name = "buffers"

    /// What is assumed of a link, since nothing tells before data flows: bits a second, and seconds of round trip.
    private static let rate = 50_000_000
    private static let milliseconds = 100

    static func examine(_ host: HostState) -> [Finding] {
        let links = max(1, host.uplinks.count)
        // Twice, since a gap on one link holds back what came by the others, and the kernel counts its own overhead.
        let needed = 2 * links * rate / 8 * milliseconds / 1000
        let assumed = "assumed: \(links) × 50 Mbit/s with 100 ms, twice = \(text(needed))"
        var findings: [Finding] = []
        for (setting, side) in [("net.ipv4.tcp_rmem", "receive"), ("net.ipv4.tcp_wmem", "send")] {
            let values = host.sysctls[setting]?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) } ?? []
            guard values.count == 3, values[2] < needed else { continue }
            let wanted = max(16 << 20, needed)
            findings.append(
                Finding(
                    .warn, name, "\(side) buffers grow to \(text(values[2])) only (\(setting); \(assumed))",
                    Sysctl.set(setting, "\(values[0]) \(values[1]) \(wanted)")))
        }
        if host.number("net.ipv4.tcp_moderate_rcvbuf") == 0 {
            findings.append(
                Finding(
                    .warn, name, "receive buffers never grow: net.ipv4.tcp_moderate_rcvbuf is 0",
                    Sysctl.set("net.ipv4.tcp_moderate_rcvbuf", "1")))
        }
        return findings.isEmpty ? [Finding(.pass, name, "large enough (\(assumed))")] : findings
    }

    private static func text(_ bytes: Int) -> String {
        bytes >= 10 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
