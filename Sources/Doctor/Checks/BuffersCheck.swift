internal import Paths

/// Whether socket buffers may grow to what several links together hold under way.
enum BuffersCheck {
    static let name = "buffers"

    /// What is taken for a link's rate, since nothing tells before data flows, in Mbit/s: hardware that is slower says so.
    private static let rate = 50
    /// What is taken for a round trip without a peer to ask.
    private static let milliseconds = 100

    static func examine(_ host: HostState) -> [Finding] {
        let links = host.uplinks.map { uplink in
            Link(
                name: uplink.name, rate: min(rate, host.speeds[uplink.interface.index] ?? rate),
                roundTrip: host.peerPaths.filter { $0.interface == uplink.interface.index }.map(\.roundTrip).max())
        }
        // Twice, since a gap on one link holds back what came by the others, and the kernel counts its own overhead. Bytes
        // wait for the slowest link, so that its round trip counts for all of them.
        let longest = links.map(\.microseconds).max() ?? milliseconds * 1000
        let needed = 2 * (links.isEmpty ? rate : links.map(\.rate).reduce(0, +)) * longest / 8
        let list = links.isEmpty ? "one link of \(rate) Mbit/s with \(milliseconds) ms" : describe(links)
        let reckoned = "\(list): \(text(needed))"
        var findings: [Finding] = []
        for (setting, side) in [("net.ipv4.tcp_rmem", "receive"), ("net.ipv4.tcp_wmem", "send")] {
            let values = host.sysctls[setting]?.split(whereSeparator: \.isWhitespace).compactMap { Int($0) } ?? []
            guard values.count == 3, values[2] < needed else { continue }
            let wanted = max(16 << 20, needed)
            findings.append(
                Finding(
                    .warn, name, "\(side) buffers grow to \(text(values[2])) only (\(setting); \(reckoned))",
                    Sysctl.set(setting, "\(values[0]) \(values[1]) \(wanted)")))
        }
        if host.number("net.ipv4.tcp_moderate_rcvbuf") == 0 {
            findings.append(
                Finding(
                    .warn, name, "receive buffers never grow: net.ipv4.tcp_moderate_rcvbuf is 0",
                    Sysctl.set("net.ipv4.tcp_moderate_rcvbuf", "1")))
        }
        return findings.isEmpty ? [Finding(.pass, name, "large enough (\(reckoned))")] : findings
    }

    private struct Link {
        let name: String
        /// In Mbit/s.
        let rate: Int
        /// In microseconds; `nil` when nobody was asked.
        let roundTrip: UInt32?

        /// A round trip that is next to nothing is that of an idle path in a lab, or of a peer next door.
        var microseconds: Int { roundTrip.map { max(10_000, Int($0)) } ?? milliseconds * 1000 }
    }

    /// Says what was measured, and what was only assumed.
    private static func describe(_ links: [Link]) -> String {
        let parts = links.map { link in
            let roundTrip = link.roundTrip == nil ? "\(milliseconds) ms assumed" : "\(link.microseconds / 1000) ms"
            return "\(link.name) \(link.rate) Mbit/s\(link.rate == rate ? " assumed" : "") and \(roundTrip)"
        }
        return parts.joined(separator: ", ") + "; twice"
    }

    private static func text(_ bytes: Int) -> String {
        bytes >= 10 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
    }
}
