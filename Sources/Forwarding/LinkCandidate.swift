public import LinuxSystem

/// A link as the data plane sees it: where a dial may start from.
public struct LinkCandidate: Sendable, Hashable {
    /// Its number in this process; the same in records.
    public var id: Int
    /// Source address for IPv4 upstreams; `nil` without one.
    public var ipv4: SocketAddress?
    /// Source address for IPv6 upstreams; `nil` without one.
    public var ipv6: SocketAddress?
    /// Lower is dialled first; among equals the better of late.
    public var priority: Int
    /// Dialled only after all that are not.
    public var isBackup: Bool
    /// Has carrier, an address and a route. Links seen dead are dialled last.
    public var isUp: Bool

    /// Whether the routing table chooses the source.
    var isRouted: Bool { ipv4?.family == SocketAddress.none.family && ipv6?.family == SocketAddress.none.family }

    /// A link of these parts.
    public init(id: Int, ipv4: SocketAddress?, ipv6: SocketAddress?, priority: Int, isBackup: Bool, isUp: Bool) {
        self.id = id
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.priority = priority
        self.isBackup = isBackup
        self.isUp = isUp
    }
}
