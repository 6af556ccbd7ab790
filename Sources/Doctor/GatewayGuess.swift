internal import LinuxSystem
internal import Paths

/// Which router an interface without a default route probably has.
enum GatewayGuess {
    /// What the DHCP lease of systemd-networkd says; else the only neighbours there are.
    static func gateways(
        of interface: NetworkInterface, lease: String?, neighbours: [SocketAddress]
    ) -> [SocketAddress] {
        for line in lease?.split(separator: "\n") ?? [] where line.hasPrefix("ROUTER=") {
            let first = line.dropFirst("ROUTER=".count).split(separator: " ").first
            if let first, let router = try? SocketAddress(parsing: String(first), port: 0) { return [router] }
        }
        return neighbours.filter { !$0.isAny && !($0.bytes.first.map { $0 >= 224 } ?? true && $0.family == .ipv4) }
    }
}
