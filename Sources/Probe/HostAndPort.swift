/// `HOST:PORT` as people write it: a name or an address, an IPv6 address in brackets, `*` for every address of this host.
public struct HostAndPort: Sendable, Hashable {
    /// The name or address, without brackets.
    public let host: String
    /// The port.
    public let port: UInt16

    /// Reads it; `nil` when it is not of that form.
    ///
    /// - Parameters:
    ///   - text: what was written.
    ///   - allowingPortZero: whether 0 is a port (to listen on one that the kernel chooses).
    public init?(_ text: String, allowingPortZero: Bool = false) {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]") else { return nil }
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        guard port > 0 || allowingPortZero else { return nil }
        self.host = String(host)
        self.port = port
    }
}

extension HostAndPort: CustomStringConvertible {
    /// As it was written.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
