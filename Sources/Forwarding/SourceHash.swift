internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Weighted rendezvous hashing: each client ranks all members, and takes the first. When one of N leaves, only its own
/// clients move, and they spread over the others; when one comes, it takes 1/N from all.
enum SourceHash {
    /// FNV-1a, 64 bits: the same everywhere and always, which Swift's own hash is not.
    static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return mix(hash)
    }

    /// A client's number: its address without the port, IPv4 the same whether mapped into IPv6 or not.
    static func client(_ address: SocketAddress) -> UInt64 {
        let words = address.unmapped.c.bytes
        return mix(mix(words.0.littleEndian) ^ words.1.littleEndian)
    }

    /// How much a client wants a member: the higher the better, in proportion to the weight.
    static func score(client: UInt64, member: UInt64, weight: Double) -> Double {
        let mixed = mix(client ^ member)
        // In (0, 1), so the logarithm is finite and below 0.
        let unit = (Double(mixed >> 11) + 0.5) / Double(1 << 53)
        return -weight / log(unit)
    }

    /// The finalizer of SplitMix64: every bit of the input moves half of the output's.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
