/// Numbers in the host's byte order and bytes, out of netlink messages.
///
/// Every read is checked: the callers look at the count first, and a mistake there would stop the program, not read past it.
public enum NetlinkBytes {
    /// The next multiple of four.
    public static func aligned(_ count: Int) -> Int { (count + 3) & ~3 }

    /// A 16-bit number in the host's order.
    public static func uint16(_ bytes: Span<UInt8>, at offset: Int) -> UInt16 {
        let value = UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8
        return UInt16(littleEndian: value)
    }

    /// A 32-bit number in the host's order.
    public static func uint32(_ bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
        return UInt32(littleEndian: value)
    }

    /// A copy of a part.
    public static func array(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(bytes[index]) }
        return copy
    }
}
