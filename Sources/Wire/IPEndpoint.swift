/// An IPv4 or IPv6 address on the wire.
public enum WireAddress: Hashable, Sendable {
    /// As a number: `127.0.0.1` is `0x7F00_0001`.
    case ipv4(UInt32)
    /// As a number: `::1` is 1.
    case ipv6(UInt128)

    /// The 4 or 16 bytes in network order.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .ipv4(let bits): bytes.appendNumber(bits)
        case .ipv6(let bits): bytes.appendNumber(bits)
        }
        return bytes
    }

    /// An IPv4-mapped IPv6 address as IPv4, any other as it is. RFC 4291, section 2.5.5.2.
    public var unmapped: WireAddress {
        if case .ipv6(let bits) = self, bits >> 32 == 0xFFFF { return .ipv4(UInt32(truncatingIfNeeded: bits)) }
        return self
    }

    /// As IPv6: an IPv4 address becomes IPv4-mapped.
    public var mapped: UInt128 {
        switch self {
        case .ipv4(let bits): UInt128(0xFFFF) << 32 | UInt128(bits)
        case .ipv6(let bits): bits
        }
    }
}

/// An address and a TCP port.
public struct IPEndpoint: Hashable, Sendable {
    /// The address.
    public var address: WireAddress
    /// The port.
    public var port: UInt16

    /// An endpoint.
    public init(_ address: WireAddress, port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// Where a client wants to go.
public struct Destination: Hashable, Sendable {
    /// An address, or a name that is still to be resolved.
    public enum Host: Hashable, Sendable {
        case address(WireAddress)
        /// A DNS name: letters, digits, hyphens, underscores and dots.
        case name(String)
    }

    /// Which host.
    public var host: Host
    /// The port, never 0.
    public var port: UInt16

    /// A destination.
    public init(_ host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }
}

extension IPEndpoint: CustomStringConvertible {
    /// `192.0.2.1:80` or `[2001:db8::1]:80`.
    public var description: String {
        switch address {
        case .ipv4: "\(address):\(port)"
        case .ipv6: "[\(address)]:\(port)"
        }
    }
}

extension Destination: CustomStringConvertible {
    /// `example.net:80`, `192.0.2.1:80` or `[2001:db8::1]:80`.
    public var description: String {
        switch host {
        case .address(let address): IPEndpoint(address, port: port).description
        case .name(let name): "\(name):\(port)"
        }
    }
}

extension WireAddress: CustomStringConvertible {
    /// The canonical text: dotted decimal, or RFC 5952.
    public var description: String {
        switch self {
        case .ipv4(let bits):
            return (0..<4).map { String(UInt8(truncatingIfNeeded: bits >> (24 - 8 * UInt32($0)))) }.joined(
                separator: ".")
        case .ipv6(let bits):
            if bits >> 32 == 0xFFFF { return "::ffff:\(WireAddress.ipv4(UInt32(truncatingIfNeeded: bits)))" }
            return Self.text(bits)
        }
    }

    /// RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`.
    private static func text(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * UInt128($0))) }
        var best = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(1, best.count) { best = start..<index }
            start = index + 1
        }
        let hex = { (part: ArraySlice<UInt16>) in part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return hex(groups[...]) }
        return hex(groups[..<best.lowerBound]) + "::" + hex(groups[best.upperBound...])
    }
}
