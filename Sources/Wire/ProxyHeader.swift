/// What a PROXY header says: who a connection really is from, and for whom.
/// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
public struct ProxyHeader: Hashable, Sendable {
    /// Where a connection came from and where it went to.
    public struct Addresses: Hashable, Sendable {
        /// The client.
        public var source: IPEndpoint
        /// What the client connected to.
        public var destination: IPEndpoint

        /// A pair of addresses.
        public init(source: IPEndpoint, destination: IPEndpoint) {
            self.source = source
            self.destination = destination
        }
    }

    /// One piece of version 2's additional information.
    public struct Item: Hashable, Sendable {
        /// Which.
        public var type: UInt8
        /// Its bytes.
        public var value: [UInt8]

        /// A piece.
        public init(type: UInt8, value: [UInt8]) {
            self.type = type
            self.value = value
        }

        /// Type of the application protocol's name.
        public static let alpn: UInt8 = 1
        /// Type of the host name that the client asked for.
        public static let authority: UInt8 = 2
        /// Type of the checksum.
        public static let checksum: UInt8 = 3
        /// Type of padding.
        public static let noOperation: UInt8 = 4
        /// Type of the unique id.
        public static let uniqueID: UInt8 = 5
        /// Ours: whether the client's connection is multipath.
        public static let multipath: UInt8 = 0xE2
    }

    /// Whether a client's connection is multipath (TLV 0xE2).
    public struct Multipath: Hashable, Sendable {
        /// Multipath, or fell back to TCP.
        public var isMultipath: Bool
        /// How many subflows it has.
        public var subflows: UInt8

        /// A state.
        public init(isMultipath: Bool, subflows: UInt8) {
            self.isMultipath = isMultipath
            self.subflows = subflows
        }
    }

    /// `nil`: the connection's own endpoints are the ones to use.
    public var addresses: Addresses?
    /// The proxy speaks for itself (a health check) and not for a client.
    public var isLocal: Bool
    /// Version 2's additional information but its checksum, in its order.
    public var items: [Item]

    /// A header.
    public init(addresses: Addresses?, isLocal: Bool = false, items: [Item] = []) {
        self.addresses = addresses
        self.isLocal = isLocal
        self.items = items
    }

    /// The unique id, if there is one.
    public var uniqueID: [UInt8]? {
        items.first { $0.type == Item.uniqueID }?.value
    }

    /// What the sender says about multipath, if it is of a version that is known.
    public var multipath: Multipath? {
        guard let value = items.first(where: { $0.type == Item.multipath })?.value, value.count >= 3, value[0] == 1
        else {
            return nil
        }
        return Multipath(isMultipath: value[1] == 1, subflows: value[2])
    }

    /// Adds what is said about multipath.
    public mutating func append(_ multipath: Multipath) {
        items.append(Item(type: Item.multipath, value: [1, multipath.isMultipath ? 1 : 0, multipath.subflows]))
    }
}

/// Why bytes are no PROXY header.
public enum ProxyHeaderFault: Error, Hashable, Sendable {
    /// Neither version's first bytes.
    case signature
    /// Version 1: no end of line within 107 bytes.
    case lineTooLong
    /// Version 1: the line is not as it has to be.
    case line
    /// Version 2: a version or command that is not defined.
    case command
    /// Version 2: a family or transport that is not defined.
    case family
    /// Version 2: the length is too short for the addresses, or a piece of information reaches past it.
    case length
    /// Version 2: the checksum is wrong.
    case checksum
    /// Version 2: a unique id of more than 128 bytes.
    case uniqueID

    /// The fault in words.
    public var reason: String {
        switch self {
        case .signature: "no PROXY header"
        case .lineTooLong: "a PROXY line of more than 107 bytes"
        case .line: "a PROXY line that is not as it has to be"
        case .command: "a PROXY header of an unknown version or command"
        case .family: "a PROXY header with an unknown address family"
        case .length: "a PROXY header whose lengths do not fit"
        case .checksum: "a PROXY header with a wrong checksum"
        case .uniqueID: "a PROXY header with a unique id of more than 128 bytes"
        }
    }
}

extension ProxyHeader {
    /// Reads a header of either version. The caller must know that one is there: it is never guessed.
    public static func parse(_ bytes: Span<UInt8>) -> Parsed<ProxyHeader, ProxyHeaderFault> {
        guard bytes.count > 0 else { return .needMore }
        switch bytes[0] {
        case UInt8(ascii: "P"): return parseLine(bytes)
        case 0x0D: return parseBinary(bytes)
        default: return .malformed(.signature)
        }
    }
}
