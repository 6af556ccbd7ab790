/// Reading RFC 8803 messages.
extension ConvertMessage {
    /// Reads one message from the beginning of a stream.
    public static func parse(_ bytes: Span<UInt8>) -> Parsed<ConvertMessage, ConvertFault> {
        guard bytes.count > 0 else { return .needMore }
        guard bytes[0] == version else { return .malformed(.version) }
        guard bytes.count > 1 else { return .needMore }
        let end = Int(bytes[1]) * 4
        guard end > 0, bytes.agrees(with: "\u{22}\u{63}", at: 2) else { return .malformed(.malformed) }
        guard bytes.count >= end else { return .needMore }
        var message = ConvertMessage()
        var seen: Set<UInt8> = []
        var index = 4
        while index < end {
            // Words only, so the two bytes are there.
            let next = index + Int(bytes[index + 1]) * 4
            guard next > index, next <= end else { return .malformed(.malformed) }
            let type = bytes[index]
            guard [1, 10, 20, 21, 22, 30].contains(type) else { return .malformed(.unsupported) }
            guard seen.insert(type).inserted, let tlv = tlv(type, bytes.extracting(index..<next)) else {
                return .malformed(.malformed)
            }
            message.tlvs.append(tlv)
            index = next
        }
        return .complete(message, length: end)
    }

    private static func tlv(_ type: UInt8, _ bytes: Span<UInt8>) -> TLV? {
        switch type {
        case 1: bytes.count == 4 ? .info : nil
        case 10: connect(bytes).map { .connect($0) }
        case 20: .extendedHeader(bytes.array(4..<bytes.count))
        case 21: .supported(bytes.array(4..<bytes.count))
        case 22: .cookie(bytes.array(4..<bytes.count))
        default: .error(ConvertErrorCode(rawValue: bytes[2]), value: bytes.array(3..<bytes.count))
        }
    }

    private static func connect(_ bytes: Span<UInt8>) -> Connect? {
        guard bytes.count >= 20, bytes.u16(2) != 0, let options = options(bytes.extracting(20..<bytes.count)) else {
            return nil
        }
        return Connect(
            IPEndpoint(WireAddress.ipv6(bytes.u128(4)).unmapped, port: bytes.u16(2)), options: options)
    }

    /// TCP options; `nil` when a length does not fit. Option 0 ends them, and the rest is padding.
    private static func options(_ bytes: Span<UInt8>) -> [TCPOption]? {
        var options: [TCPOption] = []
        var index = 0
        while index < bytes.count, bytes[index] != 0 {
            if bytes[index] == 1 {
                options.append(TCPOption(kind: 1))
                index += 1
                continue
            }
            guard index + 1 < bytes.count, bytes[index + 1] >= 2 else { return nil }
            let next = index + Int(bytes[index + 1])
            guard next <= bytes.count else { return nil }
            options.append(TCPOption(kind: bytes[index], value: bytes.array(index + 2..<next)))
            index = next
        }
        return options
    }

    /// Where the part of this type begins in the bytes of a message that was parsed; `nil` without one.
    public static func offset(ofType type: UInt8, in bytes: Span<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let end = min(bytes.count, Int(bytes[1]) * 4)
        var index = 4
        while index + 1 < end, bytes[index + 1] > 0 {
            if bytes[index] == type { return index }
            index += Int(bytes[index + 1]) * 4
        }
        return nil
    }
}
