/// The refusal to be an open relay: a listener whose clients choose the destination, which other hosts can reach, must
/// know its clients by key, TLS client certificate, or network. A password does not count: it crosses the network in
/// clear text.
extension RelaySettings {
    func openRelayConflicts() -> [Diagnostic] {
        if insecureOpenRelay || ignoreDestination { return [] }
        if listenTLS?.clientCA != nil || listenTLS?.pskFile != nil { return [] }
        if let allow, !AddressCoverage.coversInternet(allow) { return [] }
        var diagnostics: [Diagnostic] = []
        for listen in listen where listen.value.choosesDestination && listen.value.isReachableFromOutside {
            var guards = "allow = [\"NETWORK/BITS\"] or tls.listen.client-ca"
            if case .convert = listen.value {
                if keyFile != nil { continue }
                guards = "key-file, " + guards
            }
            let why =
                allow == nil
                ? "lets anyone who reaches it go anywhere" : "lets everyone go anywhere, for 'allow' leaves nobody out"
            diagnostics.append(
                Diagnostic(
                    at: listen.location, "'listen' has \"\(listen.value)\", which \(why)",
                    "add \(guards), or listen on 127.0.0.1"))
        }
        return diagnostics
    }
}

/// Whether networks together leave anyone out.
enum AddressCoverage {
    /// Whether they cover all of IPv4, or all global unicast addresses of IPv6 (`2000::/3`).
    static func coversInternet(_ networks: [IPNetwork]) -> Bool {
        let four = networks.compactMap { $0.address.bitWidth == 32 ? $0.bounds : mappedBounds($0) }
        let six = networks.filter { $0.address.bitWidth == 128 }.map(\.bounds)
        return covers(four, 0...UInt128(UInt32.max)) || covers(six, (UInt128(1) << 125)...((UInt128(1) << 126) - 1))
    }

    /// The IPv4 addresses that an IPv6 network has in IPv4-mapped form.
    private static func mappedBounds(_ network: IPNetwork) -> ClosedRange<UInt128>? {
        let mapped = (UInt128(0xFFFF) << 32)...(UInt128(0xFFFF) << 32 | UInt128(UInt32.max))
        let bounds = network.bounds
        guard bounds.overlaps(mapped) else { return nil }
        let both = bounds.clamped(to: mapped)
        return (both.lowerBound - mapped.lowerBound)...(both.upperBound - mapped.lowerBound)
    }

    private static func covers(_ ranges: [ClosedRange<UInt128>], _ whole: ClosedRange<UInt128>) -> Bool {
        var next = whole.lowerBound
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound >= next {
            if range.lowerBound > next { return false }
            if range.upperBound >= whole.upperBound { return true }
            next = range.upperBound + 1
        }
        return false
    }
}
