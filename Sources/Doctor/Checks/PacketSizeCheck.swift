internal import Paths

/// The largest packets of the links.
enum PacketSizeCheck {
    static let name = "mtu"

    static func examine(_ host: HostState) -> [Finding] {
        let uplinks = host.uplinks
        var findings: [Finding] = []
        for uplink in uplinks where uplink.interface.mtu < 1280 {
            let options = "MPTCP's options take up to 40 bytes of each packet, and IPv6 needs 1280"
            findings.append(
                Finding(
                    .warn, name, "\(uplink.name) passes packets of \(uplink.interface.mtu) bytes at most: \(options)",
                    [.command("ip link set dev \(uplink.interface.name) mtu 1500")]))
        }
        if !findings.isEmpty { return findings }
        let sizes = Set(uplinks.map(\.interface.mtu))
        if sizes.count > 1 {
            let list = uplinks.map { "\($0.name) \($0.interface.mtu)" }.joined(separator: ", ")
            return [Finding(.pass, name, "\(list): each subflow has its own segment size")]
        }
        return uplinks.isEmpty ? [] : [Finding(.pass, name, "\(uplinks[0].interface.mtu) bytes")]
    }
}
