/// Version 1 of the PROXY protocol: a line of text.
extension ProxyHeader {
    /// The longest line, with its CR LF.
    static let longestLine = 107

    static func parseLine(_ bytes: Span<UInt8>) -> Parsed<ProxyHeader, ProxyHeaderFault> {
        guard bytes.agrees(with: "PROXY ") else { return .malformed(.signature) }
        guard let end = bytes.endOfLine(from: 0, before: longestLine) else {
            if bytes.count >= longestLine { return .malformed(.lineTooLong) }
            return isPrefix(bytes) ? .needMore : .malformed(.line)
        }
        guard end >= 6 else { return .malformed(.line) }
        var fields: [Range<Int>] = []
        var start = 6
        for index in 6...end where index == end || bytes[index] == UInt8(ascii: " ") {
            fields.append(start..<index)
            start = index + 1
        }
        switch bytes.text(fields[0]) {
        case "UNKNOWN": return .complete(ProxyHeader(addresses: nil), length: end + 2)
        case "TCP4":
            guard let addresses = addresses(bytes, fields, IPText.ipv4, WireAddress.ipv4) else {
                return .malformed(.line)
            }
            return .complete(ProxyHeader(addresses: addresses), length: end + 2)
        case "TCP6":
            guard let addresses = addresses(bytes, fields, IPText.ipv6, WireAddress.ipv6) else {
                return .malformed(.line)
            }
            return .complete(ProxyHeader(addresses: addresses), length: end + 2)
        default: return .malformed(.line)
        }
    }

    /// Whether a line without end can still become one, as far as its first word and its characters go.
    private static func isPrefix(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 6 else { return true }
        if bytes.agrees(with: "UNKNOWN", at: 6) { return true }
        guard bytes.agrees(with: "TCP4 ", at: 6) || bytes.agrees(with: "TCP6 ", at: 6) else { return false }
        for index in 6..<bytes.count {
            let byte = bytes[index]
            // A carriage return may be the first half of the end.
            if byte < 0x20 || byte > 0x7E, !(byte == 0x0D && index == bytes.count - 1) { return false }
        }
        return true
    }

    private static func addresses<Bits>(
        _ bytes: Span<UInt8>, _ fields: [Range<Int>], _ read: (Span<UInt8>, Range<Int>) -> Bits?,
        _ address: (Bits) -> WireAddress
    ) -> Addresses? {
        guard fields.count == 5, let source = read(bytes, fields[1]), let destination = read(bytes, fields[2]),
            let sourcePort = IPText.port(bytes, fields[3]), let destinationPort = IPText.port(bytes, fields[4])
        else { return nil }
        return Addresses(
            source: IPEndpoint(address(source), port: sourcePort),
            destination: IPEndpoint(address(destination), port: destinationPort))
    }

    /// Version 1: one line. Addresses of different families are written as IPv6, IPv4 ones mapped.
    public func line() -> [UInt8] {
        guard let addresses, !isLocal else { return Array("PROXY UNKNOWN\r\n".utf8) }
        var family = "TCP4"
        var source = addresses.source.address
        var destination = addresses.destination.address
        switch (source, destination) {
        case (.ipv4, .ipv4): break
        default:
            family = "TCP6"
            source = .ipv6(source.mapped)
            destination = .ipv6(destination.mapped)
        }
        let ports = "\(addresses.source.port) \(addresses.destination.port)"
        return Array("PROXY \(family) \(source) \(destination) \(ports)\r\n".utf8)
    }
}
