import CLab
import Glibc

/// What a host's end of a link or cable is called, and where it is.
public struct LinkEnd: Sendable {
    /// The host.
    public let host: Host
    /// The IPv4 address, for example `10.0.1.2`.
    public let address: String
    /// The IPv6 address, for example `fd00:0:0:1::2`.
    public let address6: String
    /// The hardware address.
    let hardware: String

    init(host: Host, link: Int, end: Int) {
        self.host = host
        address = "10.0.\(link).\(end + 1)"
        address6 = "fd00:0:0:\(String(link, radix: 16))::\(end + 1)"
        let hex = String(link, radix: 16)
        hardware = "02:00:00:00:\(hex.count < 2 ? "0" : "")\(hex):0\(end + 1)"
    }

    /// Gives the interface its addresses and brings it up.
    ///
    /// The neighbour is entered for good: a blackhole is to be silent, and must not turn into "host unreachable"
    /// because the neighbour does not answer.
    func bringUp(_ interface: String, neighbour: LinkEnd) throws(LabError) {
        let commands = """
            addr add \(address)/24 dev \(interface)
            addr add \(address6)/64 dev \(interface) nodad
            link set dev \(interface) up
            neigh replace \(neighbour.address) lladdr \(neighbour.hardware) dev \(interface) nud permanent
            neigh replace \(neighbour.address6) lladdr \(neighbour.hardware) dev \(interface) nud permanent

            """
        try host.run(["ip", "-batch", "-"], input: commands)
    }
}

/// Two hosts joined directly, without the emulator. Made by `Lab.cable`.
public final class Cable: Sendable {
    /// The interface's name in both hosts.
    public let name: String
    /// The two ends, A and B.
    public let ends: [LinkEnd]

    init(number: Int, name: String, ends hosts: [Host], mtu: Int) throws(LabError) {
        self.name = name
        let ends = hosts.enumerated().map { LinkEnd(host: $1, link: number, end: $0) }
        self.ends = ends
        try checkName(name)
        try hosts[0].namespace.run(
            [
                // Indices that differ, for changes of carrier to be reported at once.
                "ip", "link", "add", "name", name, "index", "\(10_000 + 2 * number)", "mtu", "\(mtu)",
                "address", ends[0].hardware, "type", "veth", "peer", "name", name, "index", "\(10_001 + 2 * number)",
                "mtu", "\(mtu)", "address", ends[1].hardware,
                "netns", "/proc/self/fd/3",
            ], descriptors: [hosts[1].namespace.descriptor.number])
        try ends[0].bringUp(name, neighbour: ends[1])
        try ends[1].bringUp(name, neighbour: ends[0])
    }

    /// The IPv4 address of a host on this cable.
    ///
    /// - Parameter host: One of the two.
    public func address(of host: Host) -> String { ends.end(of: host).address }

    /// The IPv6 address of a host on this cable.
    ///
    /// - Parameter host: One of the two.
    public func address6(of host: Host) -> String { ends.end(of: host).address6 }
}

extension [LinkEnd] {
    func index(of host: Host) -> Int {
        guard let index = firstIndex(where: { $0.host.isSame(as: host) }) else {
            preconditionFailure("lab: host \(host.name) is at neither end of the link")
        }
        return index
    }

    func end(of host: Host) -> LinkEnd { self[index(of: host)] }
}

/// Interface names have at most 15 bytes, see `IFNAMSIZ` in netdevice(7).
func checkName(_ name: String) throws(LabError) {
    let bad = name.isEmpty || name.utf8.count > 15 || name.contains { $0 == "/" || $0.isWhitespace }
    if bad {
        throw LabError("name a link \"\(name)\"", detail: "1 to 15 bytes without space or slash")
    }
}
