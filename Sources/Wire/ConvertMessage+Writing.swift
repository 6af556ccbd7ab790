/// Writing RFC 8803 messages.
extension ConvertMessage {
    /// The message's bytes, padded with zeros to whole words.
    ///
    /// - Returns: at most `longest` bytes; parts that no longer fit are cut (the echo in an error) or left out.
    public func bytes() -> [UInt8] {
        var bytes: [UInt8] = [Self.version, 0]
        bytes.appendNumber(Self.magic)
        for tlv in tlvs {
            var body = Self.body(tlv)
            let room = Self.longest - bytes.count - 2
            if body.count > room {
                guard case .error = tlv, room > 2 else { continue }
                body.removeSubrange(room...)
            }
            bytes.append(tlv.type)
            bytes.append(UInt8((body.count + 2 + 3) / 4))
            bytes += body
            while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
        }
        bytes[1] = UInt8(bytes.count / 4)
        return bytes
    }

    /// What follows type and length.
    private static func body(_ tlv: TLV) -> [UInt8] {
        switch tlv {
        case .info: return [0, 0]
        case .connect(let connect):
            var body: [UInt8] = []
            body.appendNumber(connect.endpoint.port)
            body.appendNumber(connect.endpoint.address.mapped)
            for option in connect.options {
                body.append(option.kind)
                if option.kind > 1 { body += [UInt8(clamping: option.value.count + 2)] + option.value }
            }
            return body
        case .extendedHeader(let value), .supported(let value), .cookie(let value): return [0, 0] + value
        case .error(let code, let value): return [code.rawValue] + (value.isEmpty ? [0] : value)
        }
    }

    /// The answer to a base Connect that succeeded: `01 01 22 63`.
    public static let success = ConvertMessage()

    /// An error without anything to add: the value is 0.
    public static func failure(_ code: ConvertErrorCode, _ value: [UInt8] = [0]) -> ConvertMessage {
        ConvertMessage([.error(code, value: value)])
    }

    /// The error that answers a message that is refused.
    ///
    /// - Parameters:
    ///   - fault: why.
    ///   - message: the message's bytes, as far as they came; echoed, cut to what fits.
    public static func refusal(_ fault: ConvertFault, of message: Span<UInt8>) -> ConvertMessage {
        let echo = [0] + message.array(0..<Swift.min(message.count, longest))
        return switch fault {
        case .version: failure(.unsupportedVersion, [version])
        case .malformed: failure(.malformedMessage, echo)
        case .unsupported: failure(.unsupportedMessage, echo)
        }
    }

    /// The kinds that a converter in user space cannot honour: all but those it may ignore (0, 1, 2, 3, 5, and 30 without
    /// value).
    public static func unsupportedKinds(_ options: [TCPOption]) -> [UInt8] {
        var kinds: [UInt8] = []
        for option in options {
            let isIgnored = [0, 1, 2, 3, 5].contains(option.kind) || option.kind == 30 && option.value.isEmpty
            if !isIgnored, !kinds.contains(option.kind) { kinds.append(option.kind) }
        }
        return kinds
    }
}
