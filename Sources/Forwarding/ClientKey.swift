public import LinuxSystem
internal import Wire

/// Who counts as one client where limits are for each: an IPv4 address, or the /64 of an IPv6 address.
public enum ClientKey: Hashable, Sendable {
    /// Clients without an address, and all where a limit is for all.
    case everyone
    /// An address in host byte order.
    case ipv4(UInt32)
    /// The first 64 bits: a site's hosts choose the others as they like.
    case ipv6(UInt64)

    /// The client at an address.
    public init(_ address: SocketAddress) {
        switch address.endpoint?.address.unmapped {
        case .ipv4(let bits): self = .ipv4(bits)
        case .ipv6(let bits): self = .ipv6(UInt64(truncatingIfNeeded: bits >> 64))
        case nil: self = .everyone
        }
    }
}
