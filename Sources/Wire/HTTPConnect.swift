/// The server's side of HTTP CONNECT: RFC 9110 section 9.3.6, with the message syntax of RFC 9112.
public struct HTTPConnect: Hashable, Sendable {
    /// Where the client wants to go.
    public var destination: Destination
    /// Name and password of `Proxy-Authorization: Basic`, RFC 7617.
    public var credentials: SOCKS5.Credentials?

    /// The longest head, with its empty line.
    public static let longestHead = 16 << 10

    /// Why a head is refused.
    public enum Fault: Error, Hashable, Sendable {
        /// No HTTP/1 request, or not one that is well formed: 400.
        case malformed
        /// Well formed, and another method than CONNECT: 405.
        case method
        /// Longer than `longestHead`: 431.
        case tooLarge
    }

    /// What the server answers.
    public enum Status: Int, Sendable, CaseIterable {
        case connected = 200
        case badRequest = 400
        case forbidden = 403
        case methodNotAllowed = 405
        case authenticationRequired = 407
        case headTooLarge = 431
        case badGateway = 502
        case unavailable = 503
        case gatewayTimeout = 504

        var reason: String {
            switch self {
            case .connected: "Connection established"
            case .badRequest: "Bad Request"
            case .forbidden: "Forbidden"
            case .methodNotAllowed: "Method Not Allowed"
            case .authenticationRequired: "Proxy Authentication Required"
            case .headTooLarge: "Request Header Fields Too Large"
            case .badGateway: "Bad Gateway"
            case .unavailable: "Service Unavailable"
            case .gatewayTimeout: "Gateway Timeout"
            }
        }
    }

    /// The answer. Every one but 200 ends the connection.
    ///
    /// - Parameter detail: one line for the person in front of the client.
    public static func response(_ status: Status, detail: String = "") -> [UInt8] {
        var text = "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n"
        if status != .connected {
            let body = detail.isEmpty ? "" : detail + "\n"
            if status == .authenticationRequired {
                text += "Proxy-Authenticate: Basic realm=\"braid\", charset=\"UTF-8\"\r\n"
            }
            if status == .methodNotAllowed { text += "Allow: CONNECT\r\n" }
            text += "Content-Type: text/plain; charset=utf-8\r\nContent-Length: \(body.utf8.count)\r\n"
            text += "Connection: close\r\n\r\n" + body
        } else {
            text += "\r\n"
        }
        return Array(text.utf8)
    }

    /// Reads a head.
    ///
    /// - Parameter looked: how many of the bytes an earlier call has answered `needMore` for; 0 is always right.
    public static func parse(_ bytes: Span<UInt8>, looked: Int = 0) -> Parsed<HTTPConnect, Fault> {
        guard bytes.count > 0 else { return .needMore }
        // RFC 9112, section 2.2: an empty line before the request line is ignored.
        var start = 0
        if bytes[0] == 0x0D {
            guard bytes.count > 1 else { return .needMore }
            guard bytes[1] == 0x0A else { return .malformed(.malformed) }
            start = 2
        }
        guard bytes.count > start else { return .needMore }
        guard isToken(bytes[start]) else { return .malformed(.malformed) }
        guard let end = endOfHead(bytes, from: max(start, looked - 3)) else {
            return bytes.count >= longestHead ? .malformed(.tooLarge) : .needMore
        }
        if end > longestHead { return .malformed(.tooLarge) }
        do throws(Fault) {
            return .complete(try HTTPConnect(bytes, start: start, end: end), length: end)
        } catch {
            return .malformed(error)
        }
    }

    /// Where the bytes after the empty line begin.
    private static func endOfHead(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 3 < bytes.count {
            if bytes[index] == 0x0D, bytes[index + 1] == 0x0A, bytes[index + 2] == 0x0D, bytes[index + 3] == 0x0A {
                return index + 4
            }
            index += 1
        }
        return nil
    }

    /// `end` is that of the empty line.
    private init(_ bytes: Span<UInt8>, start: Int, end: Int) throws(Fault) {
        guard let lineEnd = bytes.endOfLine(from: start, before: end) else { throw .malformed }
        let target = try Self.requestTarget(bytes, start..<lineEnd)
        var fields = HTTPFields()
        var index = lineEnd + 2
        while index < end - 2 {
            guard let fieldEnd = bytes.endOfLine(from: index, before: end) else { throw .malformed }
            try fields.read(bytes, index..<fieldEnd)
            index = fieldEnd + 2
        }
        guard target.isConnect else { throw .method }
        guard fields.hosts <= 1, fields.hosts == 1 || !target.isVersion11, !fields.hasContent,
            let destination = Self.authority(bytes, target.range)
        else { throw .malformed }
        self.destination = destination
        credentials = fields.credentials
    }

    private static func requestTarget(
        _ bytes: Span<UInt8>, _ line: Range<Int>
    ) throws(Fault) -> (range: Range<Int>, isConnect: Bool, isVersion11: Bool) {
        var spaces: [Int] = []
        for index in line {
            if bytes[index] == 0x20 { spaces.append(index) }
            guard (0x20...0x7E).contains(bytes[index]) else { throw .malformed }
        }
        guard spaces.count == 2 else { throw .malformed }
        let method = line.lowerBound..<spaces[0]
        let target = spaces[0] + 1..<spaces[1]
        let version = bytes.text(spaces[1] + 1..<line.upperBound)
        guard version == "HTTP/1.1" || version == "HTTP/1.0", !target.isEmpty else { throw .malformed }
        for index in method where !isToken(bytes[index]) { throw .malformed }
        return (target, bytes.text(method) == "CONNECT", version == "HTTP/1.1")
    }

    /// `host:port`, RFC 9112 section 3.2.3: both are required.
    private static func authority(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Destination? {
        var colon: Int?
        for index in range where bytes[index] == UInt8(ascii: ":") { colon = index }
        guard let colon, colon > range.lowerBound, let port = IPText.port(bytes, colon + 1..<range.upperBound), port > 0
        else { return nil }
        if bytes[range.lowerBound] == UInt8(ascii: "[") {
            guard bytes[colon - 1] == UInt8(ascii: "]"), colon - 1 > range.lowerBound,
                let six = IPText.ipv6(bytes, range.lowerBound + 1..<colon - 1)
            else { return nil }
            return Destination(.address(.ipv6(six)), port: port)
        }
        for index in range.lowerBound..<colon where bytes[index] == UInt8(ascii: ":") { return nil }
        return IPText.host(bytes, range.lowerBound..<colon).map { Destination($0, port: port) }
    }

    /// RFC 9110, section 5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
