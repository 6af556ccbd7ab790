/// Base64 with padding, RFC 4648 section 4.
enum Base64Text {
    static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        guard range.count.isMultiple(of: 4) else { return nil }
        var decoded: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            var bits: UInt32 = 0
            var padding = 0
            for offset in 0..<4 {
                let byte = bytes[index + offset]
                if byte == UInt8(ascii: "=") {
                    guard index + 4 == range.upperBound, offset >= 2 else { return nil }
                    padding += 1
                    bits <<= 6
                } else {
                    guard padding == 0, let digit = digit(byte) else { return nil }
                    bits = bits << 6 | digit
                }
            }
            // Bits that the padding leaves over must be 0.
            if padding > 0, bits & (padding == 1 ? 0xFF : 0xFFFF) != 0 { return nil }
            for part in 0..<3 - padding { decoded.append(UInt8(truncatingIfNeeded: bits >> (16 - 8 * UInt32(part)))) }
            index += 4
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x41...0x5A: UInt32(byte - 0x41)
        case 0x61...0x7A: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
