/// IPv4 addresses that IPv6 addresses carry in them, and that a translator or tunnel on the way would lead to.
enum EmbeddedAddress {
    /// All that an address may mean, each as 32 bits.
    static func all(in bits: UInt128) -> [UInt32] {
        let last = UInt32(truncatingIfNeeded: bits)
        switch bits >> 32 {
        // IPv4-compatible, RFC 4291; `::` and `::1` are none.
        case 0: return bits > 1 ? [last] : []
        // IPv4-translated, RFC 2765: ::ffff:0:a.b.c.d.
        case 0xFFFF_0000: return [last]
        // NAT64's well-known prefix, RFC 6052.
        case UInt128(0x0064_FF9B) << 64: return [last]
        default: break
        }
        // NAT64's prefix for local use, RFC 8215: the operator chooses how long the own prefix within it is.
        if bits >> 80 == 0x0064_FF9B_0001 {
            let found = ([last] + localTranslations(bits)).filter { $0 >> 24 != 0 }
            return found.isEmpty ? [last] : found
        }
        // 6to4, RFC 3056.
        if bits >> 112 == 0x2002 { return [UInt32(truncatingIfNeeded: bits >> 80)] }
        // Teredo, RFC 4380: the server, and the client with its bits turned round.
        if bits >> 96 == 0x2001_0000 { return [UInt32(truncatingIfNeeded: bits >> 64), ~last] }
        return []
    }

    /// RFC 6052, section 2.2: behind 48, 56 and 64 bits of prefix, around the octet that is always 0. In a longer prefix these
    /// places hold parts of it, mostly zeros, which mean nothing.
    private static func localTranslations(_ bits: UInt128) -> [UInt32] {
        func octet(_ position: Int) -> UInt32 { UInt32(truncatingIfNeeded: bits >> UInt128(120 - 8 * position)) & 0xFF }
        return [[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12]].map { positions in
            positions.reduce(0) { $0 << 8 | octet($1) }
        }
    }
}
