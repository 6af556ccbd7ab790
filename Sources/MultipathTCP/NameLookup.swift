internal import CLinux
public import LinuxSystem

/// Names to addresses for tools: blocking, by the system's own rules. The corresponding function is `getaddrinfo`.
public enum NameLookup {
    /// The addresses of a name (or of a numeric address), best first as the system sorts them (RFC 6724), the families taking
    /// turns so that a broken one costs one stagger and no more (RFC 8305, section 4).
    ///
    /// - Throws: `DialError.unresolvable`.
    public static func addresses(of host: String, port: UInt16) throws(DialError) -> [SocketAddress] {
        var found = [linux_address](repeating: linux_address(), count: 64)
        let answer = unsafe found.withUnsafeMutableBufferPointer { buffer in
            unsafe linux_resolve(host, port, buffer.baseAddress, CInt(buffer.count))
        }
        guard answer > 0 else {
            let explanation = unsafe String(cString: linux_resolve_message(answer))
            throw .unresolvable(host: host, explanation: explanation)
        }
        return interleaved(found.prefix(Int(answer)).map { SocketAddress($0) })
    }

    /// The list with its two families taking turns, each in its own order, the first one's family first.
    static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        let firstFamily = addresses.first?.family
        let ours = addresses.filter { $0.family == firstFamily }
        let others = addresses.filter { $0.family != firstFamily }
        var result: [SocketAddress] = []
        for index in 0..<max(ours.count, others.count) {
            if index < ours.count { result.append(ours[index]) }
            if index < others.count { result.append(others[index]) }
        }
        return result
    }
}
