public import Wire

/// A network: an address and how many of its leading bits count.
public struct NetworkPrefix: Sendable, Hashable {
    /// The address; an IPv4-mapped one as IPv4.
    public let address: WireAddress
    /// 0 to 32, or 0 to 128.
    public let length: Int

    /// A network. An IPv4-mapped network of 96 bits or more is one of IPv4.
    public init(_ address: WireAddress, length: Int) {
        if case .ipv6 = address, case .ipv4 = address.unmapped, length >= 96 {
            self.address = address.unmapped
            self.length = length - 96
        } else {
            self.address = address
            self.length = length
        }
    }

    /// Whether the address is in the network; an IPv4-mapped one counts as IPv4.
    public func contains(_ other: WireAddress) -> Bool {
        switch (address, other.unmapped) {
        case (.ipv4(let network), .ipv4(let bits)): length == 0 || (network ^ bits) >> (32 - UInt32(length)) == 0
        case (.ipv6(let network), .ipv6(let bits)): length == 0 || (network ^ bits) >> (128 - UInt128(length)) == 0
        default: false
        }
    }

    /// Whether all of another network is in this one.
    public func contains(_ other: NetworkPrefix) -> Bool {
        other.length >= length && contains(other.address)
    }
}

extension [NetworkPrefix] {
    func contains(_ address: WireAddress) -> Bool {
        contains { $0.contains(address) }
    }
}

/// Which clients a relay lets in, by their address.
public struct ClientAccess: Sendable {
    /// `allow`; `nil` lets everyone in.
    public var allow: [NetworkPrefix]?
    /// `deny`, which wins.
    public var deny: [NetworkPrefix]

    /// Access for everyone, unless told otherwise.
    public init(allow: [NetworkPrefix]? = nil, deny: [NetworkPrefix] = []) {
        self.allow = allow
        self.deny = deny
    }

    /// Whether everyone is let in.
    public var isOpen: Bool { allow == nil && deny.isEmpty }

    /// Whether a client may come in. Clients of Unix sockets have no address: the socket's file guards them.
    func admits(_ client: WireAddress?) -> Bool {
        guard let client else { return true }
        return !deny.contains(client) && allow?.contains(client) != false
    }
}
