import TOML

/// A host and a TCP port. Prints as it is written in the configuration.
public struct HostPort: Sendable, Hashable, CustomStringConvertible {
    /// Which host.
    public enum Host: Sendable, Hashable {
        /// `*`: every local address, IPv4 and IPv6. Only to listen on.
        case any
        /// An IPv4 or (in brackets) IPv6 address.
        case address(IPAddress)
        /// A DNS name.
        case name(String)
    }

    /// Which host.
    public var host: Host
    /// The interface after `%`: a listener takes connections from it only; for a link-local address it says which link.
    public var scope: String?
    /// 0 to listen on: the kernel picks a free one.
    public var port: UInt16

    /// A host and a port.
    public init(_ host: Host, scope: String? = nil, port: UInt16) {
        self.host = host
        self.scope = scope
        self.port = port
    }

    /// `HOST:PORT`, with `%IFACE` after the host, and IPv6 addresses in brackets.
    public var description: String {
        let zone = scope.map { "%\($0)" } ?? ""
        return switch host {
        case .any: "*\(zone):\(port)"
        case .address(.v4(let bits)): "\(IPAddress.v4(bits))\(zone):\(port)"
        case .address(.v6(let bits)): "[\(IPAddress.v6(bits))\(zone)]:\(port)"
        case .name(let name): "\(name)\(zone):\(port)"
        }
    }

    /// Whether only this host can reach it: a loopback address, `localhost`, or the interface `lo`.
    public var isLoopback: Bool {
        if scope == "lo" { return true }
        return switch host {
        case .any: false
        case .address(let address): address.isLoopback
        case .name(let name): name.lowercased() == "localhost" || name.lowercased().hasSuffix(".localhost")
        }
    }

    /// What an address is for.
    enum Purpose {
        case listen
        case dial
    }

    /// Reads `HOST:PORT`. `whole` is the address it is part of, for messages.
    init(parsing text: Substring, in whole: String, for purpose: Purpose) throws(TOMLBadValue) {
        if text.hasSuffix("/") {
            throw TOMLBadValue("has \"\(whole)\", which ends with a slash", "write \"\(whole.dropLast())\"")
        }
        let (hostText, portText) = try Self.split(text, in: whole)
        let zone = hostText.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        var bare = zone.first ?? ""
        if zone.count == 2 {
            scope = try InterfaceName.parse(String(zone[1]))
            if bare.isEmpty, purpose == .listen { bare = "*" }
        }
        let isBracketed = text.hasPrefix("[")
        host = try Self.parseHost(bare, isBracketed: isBracketed, in: whole)
        port = try Self.parsePort(portText, in: whole, for: purpose)
        guard purpose == .dial else { return }
        if host == .any {
            throw TOMLBadValue("has \"\(whole)\", and * is nowhere to dial", "write an address or a name")
        }
        if let scope {
            guard case .address(let address) = host, address.isLinkLocal, address.bitWidth == 128 else {
                throw TOMLBadValue(
                    "has \"\(whole)\", and only link-local IPv6 addresses are dialled through one interface by %",
                    "write socket.upstream.bind-interface = \"\(scope)\"")
            }
        }
    }

    private static func split(_ text: Substring, in whole: String) throws(TOMLBadValue) -> (Substring, Substring) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw TOMLBadValue("has \"\(whole)\", whose bracket is not closed", "write [ADDRESS]:PORT")
            }
            let after = text[text.index(after: end)...]
            guard after.hasPrefix(":") else {
                throw TOMLBadValue("has \"\(whole)\" without port", "write [ADDRESS]:PORT")
            }
            return (text[text.index(after: text.startIndex)..<end], after.dropFirst())
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw TOMLBadValue("has \"\(whole)\" without port", "write HOST:PORT")
        }
        let host = text[..<colon]
        if host.contains(":") {
            throw TOMLBadValue("has \"\(whole)\", an IPv6 address without brackets", "write [ADDRESS]:PORT")
        }
        return (host, text[text.index(after: colon)...])
    }

    private static func parseHost(
        _ text: Substring, isBracketed: Bool, in whole: String
    ) throws(TOMLBadValue) -> Host {
        if isBracketed {
            guard let address = IPAddress(String(text)), address.bitWidth == 128 else {
                throw TOMLBadValue(
                    "has \"\(whole)\", and [\(text)] is no IPv6 address", "write one such as [2001:db8::1]")
            }
            return .address(address)
        }
        if text == "*" { return .any }
        if let address = IPAddress(String(text)) { return .address(address) }
        guard HostName.isValid(text) else {
            throw TOMLBadValue("has \"\(whole)\", and \"\(text)\" is no host", "write an address or a DNS name")
        }
        return .name(String(text))
    }

    private static func parsePort(
        _ text: Substring, in whole: String, for purpose: Purpose
    ) throws(TOMLBadValue) -> UInt16 {
        let least = purpose == .listen ? 0 : 1
        guard let port = DecimalText.integer(text), (least...65535).contains(port) else {
            throw TOMLBadValue("has \"\(whole)\", and \"\(text)\" is no port", "write a number from \(least) to 65535")
        }
        return UInt16(port)
    }
}

/// DNS names.
enum HostName {
    /// Labels of letters, digits, hyphens and underscores (which service names use), at most 253 characters (RFC 1123
    /// section 2.1). A name whose last label is a number would be taken for a wrong IPv4 address, and is none.
    static func isValid(_ name: some StringProtocol) -> Bool {
        var bytes = Array(name.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard (1...253).contains(bytes.count) else { return false }
        let labels = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-")
            else {
                return false
            }
            guard label.allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }) else {
                return false
            }
        }
        return labels.last.map { !$0.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } } ?? false
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}
