/// The server's side of SOCKS5: RFC 1928, and RFC 1929 for user and password.
public enum SOCKS5 {
    /// How a client can say who it is.
    public struct Methods: Hashable, Sendable {
        /// Not at all (0).
        public var none: Bool
        /// By user and password (2).
        public var password: Bool

        /// Methods.
        public init(none: Bool, password: Bool) {
            self.none = none
            self.password = password
        }
    }

    /// A name and a password, as bytes: RFC 1929 says nothing of their encoding.
    public struct Credentials: Hashable, Sendable {
        /// The user's name.
        public var name: [UInt8]
        /// The password.
        public var password: [UInt8]

        /// Credentials.
        public init(name: [UInt8], password: [UInt8]) {
            self.name = name
            self.password = password
        }
    }

    /// What a client asks for.
    public struct Request: Hashable, Sendable {
        /// 1 is CONNECT, which alone is served.
        public var command: UInt8
        /// Where to; meaningless unless the command is CONNECT.
        public var destination: Destination

        /// A request.
        public init(command: UInt8, destination: Destination) {
            self.command = command
            self.destination = destination
        }

        /// Whether it asks for a connection.
        public var isConnect: Bool { command == 1 }
    }

    /// Why bytes are no SOCKS5 message.
    public enum Fault: Error, Hashable, Sendable {
        /// Another version.
        case version
        /// A reserved byte that is not 0, or a name that is none.
        case malformed
        /// An address type that does not exist.
        case addressType
    }

    /// The server's answer to a request.
    public enum Reply: UInt8, Sendable, CaseIterable {
        case succeeded = 0
        case generalFailure = 1
        case notAllowed = 2
        case networkUnreachable = 3
        case hostUnreachable = 4
        case refused = 5
        /// TTL expired: what is left for a connect that timed out.
        case timedOut = 6
        case commandNotSupported = 7
        case addressTypeNotSupported = 8
    }

    /// Reads the first message: version and methods. RFC 1928, section 3.
    public static func parseGreeting(_ bytes: Span<UInt8>) -> Parsed<Methods, Fault> {
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == 5 else { return .malformed(.version) }
        guard bytes.count > 1, bytes.count >= 2 + Int(bytes[1]) else { return .needMore }
        var methods = Methods(none: false, password: false)
        for index in 2..<2 + Int(bytes[1]) {
            if bytes[index] == 0 { methods.none = true }
            if bytes[index] == 2 { methods.password = true }
        }
        return .complete(methods, length: 2 + Int(bytes[1]))
    }

    /// The answer to the first message: 0, 2, or 0xFF when none is acceptable.
    public static func methodChosen(_ method: UInt8) -> [UInt8] { [5, method] }

    /// Reads name and password. RFC 1929, section 2.
    public static func parseCredentials(_ bytes: Span<UInt8>) -> Parsed<Credentials, Fault> {
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == 1 else { return .malformed(.version) }
        guard bytes.count > 1 else { return .needMore }
        let nameEnd = 2 + Int(bytes[1])
        guard bytes.count > nameEnd else { return .needMore }
        let end = nameEnd + 1 + Int(bytes[nameEnd])
        guard bytes.count >= end else { return .needMore }
        return .complete(
            Credentials(name: bytes.array(2..<nameEnd), password: bytes.array(nameEnd + 1..<end)), length: end)
    }

    /// The answer to name and password.
    public static func credentialsChecked(_ good: Bool) -> [UInt8] { [1, good ? 0 : 1] }

    /// Reads a request. RFC 1928, section 4.
    public static func parseRequest(_ bytes: Span<UInt8>) -> Parsed<Request, Fault> {
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == 5 else { return .malformed(.version) }
        guard bytes.count < 3 || bytes[2] == 0 else { return .malformed(.malformed) }
        guard bytes.count > 3 else { return .needMore }
        let portIndex: Int
        switch bytes[3] {
        case 1: portIndex = 4 + 4
        case 4: portIndex = 4 + 16
        case 3:
            guard bytes.count > 4 else { return .needMore }
            portIndex = 5 + Int(bytes[4])
        default: return .malformed(.addressType)
        }
        guard bytes.count >= portIndex + 2 else { return .needMore }
        let host: Destination.Host
        switch bytes[3] {
        case 1: host = .address(.ipv4(bytes.u32(4)))
        case 4: host = .address(.ipv6(bytes.u128(4)))
        default:
            guard let name = IPText.host(bytes, 5..<portIndex) else { return .malformed(.malformed) }
            host = name
        }
        let destination = Destination(host, port: bytes.u16(portIndex))
        let request = Request(command: bytes[1], destination: destination)
        // Only a connection needs a port.
        if request.isConnect, destination.port == 0 { return .malformed(.malformed) }
        return .complete(request, length: portIndex + 2)
    }

    /// The answer to a request, with the address that the server's own end of the connection has. RFC 1928, section 6.
    public static func reply(_ reply: Reply, bound: IPEndpoint? = nil) -> [UInt8] {
        var bytes: [UInt8] = [5, reply.rawValue, 0]
        switch bound?.address ?? .ipv4(0) {
        case .ipv4(let bits):
            bytes.append(1)
            bytes.appendNumber(bits)
        case .ipv6(let bits):
            bytes.append(4)
            bytes.appendNumber(bits)
        }
        bytes.appendNumber(bound?.port ?? 0)
        return bytes
    }
}
