/// CRC-32 with the Castagnoli polynomial (RFC 3720, appendix B.4), as the PROXY protocol uses it.
public enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    }

    /// The checksum of bytes.
    ///
    /// - Parameter zeroes: positions that count as if they were 0: those of the checksum itself.
    public static func checksum(_ bytes: Span<UInt8>, zeroes: Range<Int> = 0..<0) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for index in 0..<bytes.count {
            let byte = zeroes.contains(index) ? 0 : bytes[index]
            value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
        }
        return ~value
    }
}
