package import CLinux
public import SystemPackage

/// An IPv4 or IPv6 address with a port, the unnamed peer of a Unix socket, or nothing: 24 plain bytes, so that the
/// data plane can copy it without counting references.
public struct SocketAddress: Hashable, Sendable {
    /// What kind of address it is.
    public enum Family: Sendable {
        case none
        case ipv4
        case ipv6
        case unix
    }

    private var family16: UInt16
    /// The port, in host byte order.
    public var port: UInt16
    /// The interface index of a link-local IPv6 address, else 0.
    public var scope: UInt32
    private var high: UInt64
    private var low: UInt64

    /// No address.
    public static let none = SocketAddress(linux_address())
    /// The peer of a Unix socket, which has no address.
    public static let unix = SocketAddress(
        linux_address(family: UInt16(LINUX_AF_UNIX), port: 0, scope: 0, bytes: (0, 0)))

    /// An address as the C wrappers answer it.
    package init(_ c: linux_address) {
        family16 = c.family
        port = c.port
        scope = c.scope
        high = c.bytes.0
        low = c.bytes.1
    }

    /// In the C wrappers' form.
    package var c: linux_address {
        linux_address(family: family16, port: port, scope: scope, bytes: (high, low))
    }

    /// Reads `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0`. Names are not looked up. The corresponding function is `inet_pton`.
    ///
    /// - Parameters:
    ///   - text: the address, without brackets and port.
    ///   - port: the port, in host byte order.
    /// - Throws: `Errno.invalidArgument` when it is no address, `.noDevice` when the scope names no interface.
    public init(parsing text: String, port: UInt16) throws(Errno) {
        var address = linux_address()
        _ = try check(unsafe linux_address_parse(text, port, &address))
        self.init(address)
    }

    /// An address from its bytes in network order: 4 (IPv4) or 16 (IPv6); any other count is `nil`.
    public init?(bytes: Span<UInt8>, port: UInt16, scope: UInt32 = 0) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<bytes.count {
            let shift = UInt64((index % 8) * 8)
            if index < 8 {
                words.0 |= UInt64(bytes[index]) << shift
            } else {
                words.1 |= UInt64(bytes[index]) << shift
            }
        }
        let family = bytes.count == 4 ? LINUX_AF_INET : LINUX_AF_INET6
        self.init(
            linux_address(
                family: UInt16(family), port: port, scope: scope, bytes: (words.0.littleEndian, words.1.littleEndian)))
    }

    /// Every address of this host: `0.0.0.0`, or `::`, which takes IPv4 too when the socket is dual-stack.
    public static func any(_ family: Family, port: UInt16) -> SocketAddress {
        let number = family == .ipv6 ? LINUX_AF_INET6 : LINUX_AF_INET
        return SocketAddress(linux_address(family: UInt16(number), port: port, scope: 0, bytes: (0, 0)))
    }

    /// What kind of address it is.
    public var family: Family {
        switch Int32(family16) {
        case Int32(LINUX_AF_INET): .ipv4
        case Int32(LINUX_AF_INET6): .ipv6
        case Int32(LINUX_AF_UNIX): .unix
        default: .none
        }
    }

    /// The address's bytes in network order: 4 for IPv4, 16 for IPv6, else none.
    public var bytes: [UInt8] {
        let count =
            switch family {
            case .ipv4: 4
            case .ipv6: 16
            case .unix, .none: 0
            }
        return (0..<count).map { index in
            let word = index < 8 ? high.littleEndian : low.littleEndian
            return UInt8(truncatingIfNeeded: word >> UInt64((index % 8) * 8))
        }
    }

    /// `0.0.0.0` or `::`.
    public var isAny: Bool {
        high == 0 && low == 0 && (family == .ipv4 || family == .ipv6)
    }

    /// `127.0.0.0/8`, `::1` or an IPv4-mapped loopback address.
    public var isLoopback: Bool {
        let address = unmapped
        switch address.family {
        case .ipv4: return address.bytes[0] == 127
        case .ipv6: return address.bytes.dropLast().allSatisfy { $0 == 0 } && address.bytes.last == 1
        case .unix, .none: return false
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool {
        let bytes = self.bytes
        switch family {
        case .ipv4: return bytes[0] == 169 && bytes[1] == 254
        case .ipv6: return bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        case .unix, .none: return false
        }
    }

    /// The same address with another port.
    public func with(port: UInt16) -> SocketAddress {
        var copy = self
        copy.port = port
        return copy
    }

    /// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) as IPv4; any other as it is. RFC 4291, section 2.5.5.2.
    public var unmapped: SocketAddress {
        guard family == .ipv6, high == 0 else { return self }
        let word = low.littleEndian
        guard word & 0xFFFF_FFFF == 0xFFFF_0000 else { return self }
        return SocketAddress(
            linux_address(
                family: UInt16(LINUX_AF_INET), port: port, scope: 0, bytes: ((word >> 32).littleEndian, 0)))
    }

    /// The address without its port: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
    public var host: String {
        let c = self.c
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 96) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            let length = unsafe withUnsafePointer(to: c) { unsafe linux_address_format($0, start, buffer.count) }
            return unsafe length > 0 ? String(cString: start) : ""
        }
    }

    var familyNumber: CInt { CInt(family16) }
}

extension SocketAddress: CustomStringConvertible {
    /// `192.0.2.1:80`, `[2001:db8::1]:80`, `unix`, or `-` for no address.
    public var description: String {
        switch family {
        case .ipv4: "\(host):\(port)"
        case .ipv6: "[\(host)]:\(port)"
        case .unix: "unix"
        case .none: "-"
        }
    }
}
