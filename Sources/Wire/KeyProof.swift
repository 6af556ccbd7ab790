/// Braid's proof that the sender of a Convert message knows a key: the value of its Cookie TLV.
///
/// 60 bytes after type and length: two zero bytes, version, key id, flags, time, random, HMAC. The HMAC itself is made and
/// compared by the caller, over what `authenticated` answers.
public struct KeyProof: Hashable, Sendable {
    /// Which of the keys, as the key file numbers them.
    public var keyID: UInt8
    /// Milliseconds since 1970; 0 when `random` is the challenge of the far end.
    public var time: UInt64
    /// 12 bytes: random, or the challenge.
    public var random: [UInt8]
    /// HMAC-SHA256, 32 bytes.
    public var code: [UInt8]

    /// Bytes of `random`, and of a challenge.
    public static let randomLength = 12
    /// Bytes of the HMAC.
    public static let codeLength = 32
    /// What the HMAC is over begins with this.
    private static let label: [UInt8] = Array("braid convert 1".utf8)
    /// Bytes from the Cookie TLV's first to the HMAC's.
    private static let codeOffset = 2 + 2 + 1 + 1 + 4 + 8 + 12
    /// The opaque part of the cookie, without the TLV's own two zero bytes, with padding.
    private static let cookieLength = 60

    /// A proof.
    public init(keyID: UInt8, time: UInt64, random: [UInt8], code: [UInt8] = Array(repeating: 0, count: 32)) {
        self.keyID = keyID
        self.time = time
        self.random = random
        self.code = code
    }

    /// Reads the cookie of a message; `nil` when it is none of ours.
    public init?(cookie: [UInt8]) {
        let bytes = cookie.span
        guard bytes.count == Self.cookieLength, bytes[0] == 1, bytes.u32(2) == 0, bytes[58] == 0, bytes[59] == 0 else {
            return nil
        }
        keyID = bytes[1]
        time = bytes.u64(6)
        random = bytes.array(14..<26)
        code = bytes.array(26..<58)
    }

    /// The value for `ConvertMessage.TLV.cookie`.
    public var cookie: [UInt8] {
        var bytes: [UInt8] = [1, keyID]
        bytes.appendNumber(UInt32(0))
        bytes.appendNumber(time)
        bytes += random.prefix(Self.randomLength) + Array(repeating: 0, count: max(0, Self.randomLength - random.count))
        bytes += code.prefix(Self.codeLength) + Array(repeating: 0, count: max(0, Self.codeLength - code.count))
        return bytes + [0, 0]
    }

    /// What the HMAC is over: the label, then the whole message with the HMAC's bytes zero.
    ///
    /// - Parameter message: a whole message that was parsed (or written) and has a cookie of ours.
    public static func authenticated(_ message: Span<UInt8>) -> [UInt8] {
        var bytes = label + message.array(0..<message.count)
        if let place = place(in: message) {
            for index in place { bytes[label.count + index] = 0 }
        }
        return bytes
    }

    /// Puts the HMAC into a written message.
    public static func fill(_ code: [UInt8], into message: inout [UInt8]) {
        guard code.count == codeLength, let place = place(in: message.span) else { return }
        message.replaceSubrange(place, with: code)
    }

    private static func place(in message: Span<UInt8>) -> Range<Int>? {
        guard let cookie = ConvertMessage.offset(ofType: 22, in: message) else { return nil }
        let start = cookie + codeOffset
        return start + codeLength <= message.count ? start..<start + codeLength : nil
    }
}
