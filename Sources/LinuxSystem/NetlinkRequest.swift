/// Builds one netlink request: the header, a family's own header, attributes. netlink(7).
public struct NetlinkRequest: Sendable, Hashable {
    /// The message's type.
    public let type: UInt16
    /// Its flags; `.request` is always among them.
    public internal(set) var flags: NetlinkFlags
    /// What follows the header so far.
    public private(set) var payload: [UInt8]

    /// - Parameters:
    ///   - type: what is asked for: a protocol's request, or a generic family's number.
    ///   - flags: besides `.request`.
    ///   - header: the family's own header, such as `struct ifinfomsg`.
    public init(type: UInt16, flags: NetlinkFlags = [], header: [UInt8] = []) {
        self.type = type
        self.flags = flags.union(.request)
        payload = header
        pad()
    }

    /// A request to a generic family. The header is `struct genlmsghdr`.
    public init(family: UInt16, command: UInt8, version: UInt8 = 1, flags: NetlinkFlags = []) {
        self.init(type: family, flags: flags, header: [command, version, 0, 0])
    }

    /// Appends an attribute. Values beyond 65531 bytes do not fit and are a mistake of the caller.
    public mutating func add(_ type: UInt16, bytes: [UInt8]) {
        precondition(bytes.count <= 65531, "a netlink attribute holds at most 65531 bytes")
        payload += NetlinkRequest.bytes(UInt16(bytes.count + 4)) + NetlinkRequest.bytes(type) + bytes
        pad()
    }

    /// Appends an 8-bit attribute.
    public mutating func add(_ type: UInt16, _ value: UInt8) { add(type, bytes: [value]) }

    /// Appends a 16-bit attribute in the host's order.
    public mutating func add(_ type: UInt16, _ value: UInt16) { add(type, bytes: Self.bytes(value)) }

    /// Appends a 32-bit attribute in the host's order.
    public mutating func add(_ type: UInt16, _ value: UInt32) { add(type, bytes: Self.bytes(value)) }

    /// Appends a text attribute with its zero byte.
    public mutating func add(_ type: UInt16, text: String) { add(type, bytes: Array(text.utf8) + [0]) }

    /// Appends an attribute that holds what `fill` appends.
    public mutating func add(nested type: UInt16, _ fill: (inout NetlinkRequest) -> Void) {
        var inner = NetlinkRequest(type: 0)
        fill(&inner)
        // NLA_F_NESTED: families that came after Linux 5.2 insist on it.
        add(type | 0x8000, bytes: inner.payload)
    }

    /// The whole message.
    ///
    /// - Parameter sequence: what its answers will carry.
    public func message(sequence: UInt32) -> [UInt8] {
        Self.bytes(UInt32(16 + payload.count)) + Self.bytes(type) + Self.bytes(flags.rawValue)
            + Self.bytes(sequence) + [0, 0, 0, 0] + payload
    }

    /// A number's bytes in the host's order.
    public static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        let value = value.littleEndian
        return (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private mutating func pad() {
        while !payload.count.isMultiple(of: 4) { payload.append(0) }
    }
}
