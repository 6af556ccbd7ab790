public import LinuxSystem

/// In which order the addresses of one name are dialled. RFC 8305.
public enum HappyEyeballs {
    /// Interleaves the address families, so that one whose network is broken costs one attempt and not all of them.
    /// RFC 8305, section 4, with a "First Address Family Count" of one.
    ///
    /// The order within a family and the family that comes first are those of the list, which is expected to be sorted by
    /// RFC 6724 already: IPv6 first, unless this host cannot reach it. An address that comes twice is kept once.
    ///
    /// - Parameter addresses: the answers, best first.
    /// - Returns: the order to dial them in.
    public static func order(_ addresses: [SocketAddress]) -> [SocketAddress] {
        var seen = Set<SocketAddress>()
        let unique = addresses.filter { seen.insert($0).inserted }
        guard let first = unique.first else { return [] }
        let preferred = unique.filter { $0.family == first.family }
        let others = unique.filter { $0.family != first.family }
        var ordered: [SocketAddress] = []
        ordered.reserveCapacity(unique.count)
        for index in 0..<max(preferred.count, others.count) {
            if index < preferred.count { ordered.append(preferred[index]) }
            if index < others.count { ordered.append(others[index]) }
        }
        return ordered
    }
}
