import TOML

/// A network in CIDR notation: an address and how many of its leading bits count.
public struct IPNetwork: Sendable, Hashable, CustomStringConvertible {
    /// The network's address; the bits after the prefix are zero.
    public let address: IPAddress
    /// 0 to 32, or 0 to 128.
    public let prefixLength: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a bare address, which is a network of one.
    init(parsing text: String) throws(TOMLBadValue) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let address = IPAddress(parts[0]) else {
            throw TOMLBadValue(
                "has \"\(text)\", which is no network", "write one as \"192.0.2.0/24\" or \"2001:db8::/32\"")
        }
        var prefixLength = address.bitWidth
        if parts.count == 2 {
            guard let number = DecimalText.integer(parts[1]), (0...address.bitWidth).contains(number) else {
                throw TOMLBadValue(
                    "has \"\(text)\", whose prefix length is wrong",
                    "write a number from 0 to \(address.bitWidth) after the slash")
            }
            prefixLength = number
        }
        let masked = address.masked(prefixLength)
        guard masked == address else {
            throw TOMLBadValue(
                "has \"\(text)\", which sets bits after the prefix", "write \"\(masked)/\(prefixLength)\"")
        }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Whether the address is in the network. An IPv4-mapped address is in IPv4 networks.
    public func contains(_ other: IPAddress) -> Bool {
        let candidate: IPAddress
        if case .v4 = address { candidate = other.unmapped } else { candidate = other }
        return candidate.bitWidth == address.bitWidth && candidate.masked(prefixLength) == address
    }

    /// CIDR notation.
    public var description: String { "\(address)/\(prefixLength)" }

    /// The first and the last address as numbers.
    var bounds: ClosedRange<UInt128> {
        switch address {
        case .v4(let bits): UInt128(bits)...UInt128(bits | (prefixLength == 32 ? 0 : UInt32.max >> prefixLength))
        case .v6(let bits): bits...(bits | (prefixLength == 128 ? 0 : UInt128.max >> prefixLength))
        }
    }
}

extension IPAddress {
    /// The address with all bits after the first `length` cleared.
    fileprivate func masked(_ length: Int) -> IPAddress {
        switch self {
        case .v4(let bits): .v4(length == 0 ? 0 : bits & (UInt32.max << (32 - length)))
        case .v6(let bits): .v6(length == 0 ? 0 : bits & (UInt128.max << (128 - length)))
        }
    }
}
