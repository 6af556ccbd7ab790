/// Where one attribute's value lies in the bytes it was found in. netlink(7), "struct nlattr".
public struct NetlinkAttribute: Sendable, Hashable {
    /// Its type, without the bits that say "nested" or "network order".
    public let type: UInt16
    /// Where its value is.
    public let value: Range<Int>

    /// One of its parts.
    public init(type: UInt16, value: Range<Int>) {
        self.type = type
        self.value = value
    }

    /// The value of an 8-bit attribute.
    public func uint8(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> UInt8 {
        try require(1, in: bytes)
        return bytes[value.lowerBound]
    }

    /// The value of a 16-bit attribute in the host's order.
    public func uint16(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> UInt16 {
        try require(2, in: bytes)
        return NetlinkBytes.uint16(bytes, at: value.lowerBound)
    }

    /// The value of a 16-bit attribute in network order, such as a port.
    public func bigEndianUInt16(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> UInt16 {
        UInt16(bigEndian: try uint16(in: bytes))
    }

    /// The value of a 32-bit attribute in the host's order.
    public func uint32(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> UInt32 {
        try require(4, in: bytes)
        return NetlinkBytes.uint32(bytes, at: value.lowerBound)
    }

    /// The value of a text attribute, up to its zero byte; what is not UTF-8 is replaced.
    public func text(in bytes: Span<UInt8>) -> String {
        String(decoding: NetlinkBytes.array(bytes, value).prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The value of an attribute that is an IPv4 or IPv6 address in network order.
    public func address(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> SocketAddress {
        guard let address = SocketAddress(bytes: NetlinkBytes.array(bytes, value).span, port: 0) else {
            throw .malformed(offset: value.lowerBound, "an address of \(value.count) bytes")
        }
        return address
    }

    /// Longer values are allowed: a newer kernel may append to a structure.
    private func require(_ count: Int, in bytes: Span<UInt8>) throws(NetlinkSyntaxError) {
        guard value.count >= count, value.upperBound <= bytes.count else {
            throw .malformed(
                offset: value.lowerBound, "attribute \(type) has \(value.count) bytes where \(count) are needed")
        }
    }
}

/// Walks over the attributes in a part of some bytes, one after the other; it keeps offsets, never the bytes.
public struct NetlinkAttributes: Sendable {
    private var offset: Int
    private let end: Int

    /// - Parameter range: where they lie; what is beyond the bytes' end when they are read counts as truncated.
    public init(_ range: Range<Int>) {
        offset = range.lowerBound
        end = range.upperBound
    }

    /// What is nested in an attribute.
    public init(nestedIn attribute: NetlinkAttribute) {
        self.init(attribute.value)
    }

    /// All that follows a family's own header of `headerSize` bytes; that too may be too short.
    public init(after headerSize: Int, in bytes: Span<UInt8>) throws(NetlinkSyntaxError) {
        guard bytes.count >= headerSize else {
            throw .truncated(offset: 0, needed: headerSize, available: bytes.count)
        }
        self.init(min(NetlinkBytes.aligned(headerSize), bytes.count)..<bytes.count)
    }

    /// The next attribute, `nil` after the last.
    ///
    /// - Throws: `NetlinkSyntaxError`: then nothing more can be read.
    public mutating func next(in bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> NetlinkAttribute? {
        let limit = min(end, bytes.count)
        let start = offset
        guard start < limit else {
            guard end <= bytes.count else {
                throw .truncated(offset: start, needed: end - start, available: max(0, limit - start))
            }
            return nil
        }
        guard limit - start >= 4 else { throw .truncated(offset: start, needed: 4, available: limit - start) }
        let length = Int(NetlinkBytes.uint16(bytes, at: start))
        guard length >= 4 else { throw .malformed(offset: start, "an attribute shorter than its header") }
        guard length <= limit - start else {
            throw .truncated(offset: start, needed: length, available: limit - start)
        }
        offset = min(start + NetlinkBytes.aligned(length), max(limit, end))
        return NetlinkAttribute(
            type: NetlinkBytes.uint16(bytes, at: start + 2) & 0x3FFF, value: start + 4..<start + length)
    }
}
