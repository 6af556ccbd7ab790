internal import NIOHTTP1

/// Whether a request on a network address is meant for this server.
///
/// A page from anywhere can have its name resolve to 127.0.0.1 (DNS rebinding), and its scripts then read what is there as
/// their own. What gives them away is the name, which the browser sends as `Host`: addresses, `localhost` and the names
/// that this host is known by are let in, and no others. A request from another origin is refused as well.
struct HostCheck: Sendable {
    /// Names that are let in, lower case.
    let names: Set<String>

    /// - Parameter names: names of this host, and those that the configuration adds.
    init(names: [String]) {
        self.names = Set(names.map { $0.lowercased() }.filter { !$0.isEmpty })
    }

    /// - Returns: what is wrong with the request, or nil.
    func refusal(_ headers: HTTPHeaders) -> String? {
        let hosts = headers["Host"]
        guard hosts.count == 1, let host = hosts.first else {
            return "a request needs one Host header"
        }
        guard isOurs(host) else {
            return """
                this server is not "\(host.prefix(100))": ask by address, as localhost or by this host's name, \
                or add the name to admin.hosts
                """
        }
        if let origin = headers["Origin"].first {
            guard origin.lowercased() == "http://\(host.lowercased())" else {
                return "requests from other origins are refused"
            }
        }
        if let site = headers["Sec-Fetch-Site"].first, site != "same-origin", site != "none" {
            // A link from elsewhere may be followed; scripts and frames from elsewhere may not ask.
            guard headers["Sec-Fetch-Mode"].first == "navigate", headers["Sec-Fetch-Dest"].first == "document" else {
                return "requests from other sites are refused"
            }
        }
        return nil
    }

    private func isOurs(_ host: String) -> Bool {
        guard let name = Self.name(host) else { return false }
        return Self.isAddress(name) || name == "localhost" || name.hasSuffix(".localhost") || names.contains(name)
    }

    /// The name of `NAME[:PORT]`, lower case, without the brackets of an IPv6 address and a final dot; nil when it is none.
    static func name(_ host: String) -> String? {
        let host = host.lowercased()
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            guard isPort(host[host.index(after: end)...]) else { return nil }
            let address = host[host.index(after: host.startIndex)..<end]
            return address.contains(":") ? String(address) : nil
        }
        let colon = host.firstIndex(of: ":") ?? host.endIndex
        guard isPort(host[colon...]) else { return nil }
        var name = host[..<colon]
        if name.hasSuffix(".") { name = name.dropLast() }
        guard !name.isEmpty, name.utf8.allSatisfy({ isNameByte($0) }) else { return nil }
        return String(name)
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard let colon = text.first else { return true }
        return colon == ":" && text.utf8.count <= 6 && text.utf8.dropFirst().allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// Four decimal numbers, or something with colons: no resolver turns these into another address.
    private static func isAddress(_ name: String) -> Bool {
        if name.contains(":") { return name.utf8.allSatisfy { isAddressByte($0) } }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: ":"), UInt8(ascii: "."): true
        default: false
        }
    }
}
