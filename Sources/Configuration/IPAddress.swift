import Glibc

/// An IPv4 or IPv6 address, without zone.
public enum IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// In host byte order: `127.0.0.1` is `0x7F00_0001`.
    case v4(UInt32)
    /// In host byte order: `::1` is 1.
    case v6(UInt128)

    /// Reads the usual notation (inet_pton(3)): `192.0.2.1`, `2001:db8::1`. Nil for anything else.
    public init?(_ text: String) {
        // A NUL would end the C string early and hide what follows it.
        guard !text.utf8.contains(0) else { return nil }
        if text.utf8.contains(UInt8(ascii: ":")) {
            var address = in6_addr()
            guard unsafe inet_pton(AF_INET6, text, &address) == 1 else { return nil }
            let bytes = unsafe withUnsafeBytes(of: address) { unsafe Array($0) }
            self = .v6(bytes.reduce(0) { $0 << 8 | UInt128($1) })
        } else {
            var address = in_addr()
            guard unsafe inet_pton(AF_INET, text, &address) == 1 else { return nil }
            self = .v4(UInt32(bigEndian: address.s_addr))
        }
    }

    /// The 4 or 16 bytes in network order.
    public var bytes: [UInt8] {
        switch self {
        case .v4(let bits): (0..<4).map { UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0)) }
        case .v6(let bits): (0..<16).map { UInt8(truncatingIfNeeded: bits >> (120 - 8 * $0)) }
        }
    }

    /// How many bits the address has: 32 or 128.
    public var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// `127.0.0.0/8` or `::1`; also as an IPv4-mapped address (RFC 4291 section 2.5.5.2).
    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let bits): bits == 1
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool {
        switch unmapped {
        case .v4(let bits): bits >> 16 == 0xA9FE
        case .v6(let bits): bits >> 118 == 0xFE80 >> 6
        }
    }

    /// `0.0.0.0` or `::`.
    public var isUnspecified: Bool {
        switch unmapped {
        case .v4(let bits): bits == 0
        case .v6(let bits): bits == 0
        }
    }

    /// The IPv4 address in an IPv4-mapped one (`::ffff:192.0.2.1`), any other as it is.
    public var unmapped: IPAddress {
        if case .v6(let bits) = self, bits >> 32 == 0xFFFF { return .v4(UInt32(truncatingIfNeeded: bits)) }
        return self
    }

    /// The canonical text (RFC 5952 for IPv6).
    public var description: String {
        switch self {
        case .v4: return bytes.map(String.init).joined(separator: ".")
        case .v6:
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            guard unsafe inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "::" }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
