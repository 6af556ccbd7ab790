public import LinuxSystem
public import Wire

extension SocketAddress {
    /// An address from the wire.
    public init(_ endpoint: IPEndpoint) {
        self = SocketAddress(bytes: endpoint.address.bytes.span, port: endpoint.port) ?? .none
    }

    /// As it goes on the wire, IPv4-mapped addresses as IPv4; `nil` when it is none over IP.
    public var endpoint: IPEndpoint? {
        let plain = unmapped
        let bits = plain.bytes.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return switch plain.family {
        case .ipv4: IPEndpoint(.ipv4(UInt32(truncatingIfNeeded: bits)), port: plain.port)
        case .ipv6: IPEndpoint(.ipv6(bits), port: plain.port)
        case .unix, .none: nil
        }
    }
}
