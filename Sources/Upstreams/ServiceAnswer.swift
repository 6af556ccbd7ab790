/// One SRV record: a host and port that offer a service. RFC 2782.
public struct ServiceRecord: Sendable, Hashable {
    /// Lower is to be used first.
    public var priority: UInt16
    /// The share among those of one priority; 0 is next to none.
    public var weight: UInt16
    /// TCP port.
    public var port: UInt16
    /// The host's name, without the final dot.
    public var target: String

    /// A record of these parts.
    public init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// A DNS answer about a service, as it came. c-ares parses SRV records too, and drops how long they may be used.
struct ServiceAnswer: Equatable {
    /// Sorted, without doubles; empty when the service is decidedly not offered (a target of `.`).
    let records: [ServiceRecord]
    /// Seconds that all of it may be used, aliases included.
    let lifetime: UInt32

    /// Reads a message of RFC 1035; `nil` when it is malformed, or truncated at any byte, or has no SRV record.
    init?(_ message: [UInt8]) {
        var reader = Reader(message: message, offset: 0)
        guard message.count >= 12, let questions = reader.short(at: 4), let answers = reader.short(at: 6) else {
            return nil
        }
        reader.offset = 12
        for _ in 0..<questions {
            guard reader.name() != nil, reader.skip(4) else { return nil }
        }
        var records: Set<ServiceRecord> = []
        var lifetime = UInt32.max
        var found = false
        for _ in 0..<answers {
            guard reader.name() != nil, let type = reader.short(), reader.skip(2), let high = reader.short(),
                let low = reader.short(), let length = reader.short(), reader.offset + length <= message.count
            else { return nil }
            let end = reader.offset + length
            // RFC 2181, section 8: a TTL with the highest bit set is 0.
            let seconds = high & 0x8000 == 0 ? UInt32(high) << 16 | UInt32(low) : 0
            switch type {
            case Self.alias: lifetime = min(lifetime, seconds)
            case Self.service:
                guard let priority = reader.short(), let weight = reader.short(), let port = reader.short(),
                    let target = reader.name(), reader.offset == end
                else { return nil }
                found = true
                lifetime = min(lifetime, seconds)
                guard !target.isEmpty else { break }
                records.insert(
                    ServiceRecord(
                        priority: UInt16(priority), weight: UInt16(weight), port: UInt16(port), target: target))
            default: break
            }
            reader.offset = end
        }
        guard found else { return nil }
        self.records = records.sorted {
            ($0.priority, $0.target, $0.port, $0.weight) < ($1.priority, $1.target, $1.port, $1.weight)
        }
        self.lifetime = lifetime
    }

    private static let alias = 5
    private static let service = 33

    private struct Reader {
        let message: [UInt8]
        var offset: Int

        func short(at offset: Int) -> Int? {
            guard offset + 2 <= message.count else { return nil }
            return Int(message[offset]) << 8 | Int(message[offset + 1])
        }

        mutating func short() -> Int? {
            defer { offset += 2 }
            return short(at: offset)
        }

        mutating func skip(_ count: Int) -> Bool {
            offset += count
            return offset <= message.count
        }

        /// Reads a name, following pointers backwards only, so that it ends, and not more of them than a name has labels:
        /// thousands of names that each go through thousands of pointers fit into one answer. RFC 1035, section 4.1.4. A dot
        /// or a byte that is not printable within a label makes it no host name.
        mutating func name() -> String? {
            var text = ""
            var place = offset
            var barrier = offset
            var jumps = 0
            while place < message.count {
                let length = Int(message[place])
                switch length {
                case 0:
                    if jumps == 0 { offset = place + 1 }
                    return text
                case 1..<64:
                    guard place + 1 + length <= message.count, text.utf8.count + length < 255 else { return nil }
                    let label = message[(place + 1)...(place + length)]
                    guard label.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ".") }) else { return nil }
                    if !text.isEmpty { text += "." }
                    text += String(decoding: label, as: UTF8.self)
                    place += 1 + length
                case 0xC0...0xFF:
                    guard let pointer = short(at: place) else { return nil }
                    if jumps == 0 { offset = place + 2 }
                    jumps += 1
                    guard pointer & 0x3FFF < barrier, jumps < 128 else { return nil }
                    place = pointer & 0x3FFF
                    barrier = place
                default: return nil
                }
            }
            return nil
        }
    }
}
