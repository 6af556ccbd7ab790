/// What a proxy has to know of a CONNECT request's header fields. RFC 9110 section 5, RFC 9112 section 5.
struct HTTPFields {
    /// How many Host fields there are.
    var hosts = 0
    /// Content is announced, which CONNECT has not.
    var hasContent = false
    /// Name and password of the last `Proxy-Authorization: Basic`.
    var credentials: SOCKS5.Credentials?
    private var authorizations = 0

    /// Reads one line.
    mutating func read(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPConnect.Fault) {
        var colon = line.lowerBound
        while colon < line.upperBound, HTTPConnect.isToken(bytes[colon]) { colon += 1 }
        // No name, space before the colon, or a folded line: RFC 9112, section 5.1 and 5.2.
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":") else {
            throw .malformed
        }
        var value = colon + 1..<line.upperBound
        while let first = value.first, bytes[first] == 0x20 || bytes[first] == 0x09 { value.removeFirst() }
        while let last = value.last, bytes[last] == 0x20 || bytes[last] == 0x09 { value.removeLast() }
        for index in value {
            let byte = bytes[index]
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { throw .malformed }
        }
        switch bytes.text(line.lowerBound..<colon).lowercased() {
        case "host": hosts += 1
        case "transfer-encoding": hasContent = true
        case "content-length": if bytes.text(value) != "0" { hasContent = true }
        case "proxy-authorization":
            authorizations += 1
            guard authorizations == 1 else { throw .malformed }
            credentials = Self.basic(bytes, value)
        default: break
        }
    }

    /// RFC 7617; `nil` for another scheme, and for what is not well formed: both are as good as none.
    private static func basic(_ bytes: Span<UInt8>, _ value: Range<Int>) -> SOCKS5.Credentials? {
        guard value.count > 6, bytes.text(value.lowerBound..<value.lowerBound + 6).lowercased() == "basic " else {
            return nil
        }
        var token = value.lowerBound + 6..<value.upperBound
        while let first = token.first, bytes[first] == 0x20 { token.removeFirst() }
        guard let decoded = Base64Text.decode(bytes, token), let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return SOCKS5.Credentials(name: Array(decoded[..<colon]), password: Array(decoded[(colon + 1)...]))
    }
}
