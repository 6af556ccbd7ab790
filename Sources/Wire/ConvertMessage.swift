/// A message of the 0-RTT TCP Convert protocol: RFC 8803. It is the first thing in its direction; user data follows.
public struct ConvertMessage: Hashable, Sendable {
    /// A connection that is asked for. RFC 8803, section 4.2.5.
    public struct Connect: Hashable, Sendable {
        /// Where to.
        public var endpoint: IPEndpoint
        /// TCP options that the converter shall put on its SYN.
        public var options: [TCPOption]

        /// A connection to `endpoint`.
        public init(_ endpoint: IPEndpoint, options: [TCPOption] = []) {
            self.endpoint = endpoint
            self.options = options
        }
    }

    /// A TCP option: RFC 9293, section 3.1.
    public struct TCPOption: Hashable, Sendable {
        /// Which.
        public var kind: UInt8
        /// What follows kind and length; empty for kinds 0 and 1, which have neither.
        public var value: [UInt8]

        /// An option.
        public init(kind: UInt8, value: [UInt8] = []) {
            self.kind = kind
            self.value = value
        }
    }

    /// One part of a message.
    public enum TLV: Hashable, Sendable {
        /// Asks for the supported extensions (1).
        case info
        /// Asks for a connection (10).
        case connect(Connect)
        /// The options of the server's SYN+ACK (20), with padding.
        case extendedHeader([UInt8])
        /// The TCP options that the converter supports, a byte each (21), with padding.
        case supported([UInt8])
        /// What the converter wants to see before it does anything (22), with padding.
        case cookie([UInt8])
        /// Why there is no connection (30); the value comes with padding.
        case error(ConvertErrorCode, value: [UInt8])

        /// The number on the wire.
        public var type: UInt8 {
            switch self {
            case .info: 1
            case .connect: 10
            case .extendedHeader: 20
            case .supported: 21
            case .cookie: 22
            case .error: 30
            }
        }
    }

    /// The parts, each type at most once.
    public var tlvs: [TLV]

    /// The version that is spoken.
    public static let version: UInt8 = 1
    /// What bytes 2 and 3 have to be.
    public static let magic: UInt16 = 0x2263
    /// The longest message, in bytes.
    public static let longest = 255 * 4

    /// A message of these parts.
    public init(_ tlvs: [TLV] = []) {
        self.tlvs = tlvs
    }

    /// The connection asked for.
    public var connect: Connect? {
        for case .connect(let connect) in tlvs { return connect }
        return nil
    }

    /// The cookie, with padding.
    public var cookie: [UInt8]? {
        for case .cookie(let value) in tlvs { return value }
        return nil
    }

    /// The error, if it is one.
    public var error: (code: ConvertErrorCode, value: [UInt8])? {
        for case .error(let code, let value) in tlvs { return (code, value) }
        return nil
    }

    /// Whether it asks for the supported extensions.
    public var asksForExtensions: Bool { tlvs.contains(.info) }

    /// The message with the answer to Info: an MPTCP converter supports option 30.
    public static let supportedExtensions = TLV.supported([30])
}

/// Why a message is refused; each has its error.
public enum ConvertFault: Error, Hashable, Sendable {
    /// A version that is not spoken: error 0.
    case version
    /// Wrong magic, a length that does not fit, a part that comes twice or is not as it has to be: error 1.
    case malformed
    /// A part of type 0 or of an unknown type: error 2.
    case unsupported
}

/// The codes of the Error TLV. RFC 8803, section 4.2.8.
public struct ConvertErrorCode: RawRepresentable, Hashable, Sendable {
    /// The number.
    public var rawValue: UInt8

    /// A code by its number.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The value lists the supported versions.
    public static let unsupportedVersion = ConvertErrorCode(rawValue: 0)
    /// The value is a zero byte and the message.
    public static let malformedMessage = ConvertErrorCode(rawValue: 1)
    /// The value is a zero byte and the message.
    public static let unsupportedMessage = ConvertErrorCode(rawValue: 2)
    /// The value is a zero byte and the cookie to use.
    public static let missingCookie = ConvertErrorCode(rawValue: 3)
    /// The client may not.
    public static let notAuthorized = ConvertErrorCode(rawValue: 32)
    /// The value lists the kinds.
    public static let unsupportedTCPOption = ConvertErrorCode(rawValue: 33)
    /// The value says how many seconds to stay away; 0 is at least 30.
    public static let resourceExceeded = ConvertErrorCode(rawValue: 64)
    /// The value says how many seconds to stay away; 0 is at least 30.
    public static let networkFailure = ConvertErrorCode(rawValue: 65)
    /// The server refused.
    public static let connectionReset = ConvertErrorCode(rawValue: 96)
    /// The value is the code of ICMP's Destination Unreachable.
    public static let destinationUnreachable = ConvertErrorCode(rawValue: 97)
}
