/// The keys of a `key-file`: a line each, 32 bytes as base64 or hexadecimal text, `#` begins a remark.
///
/// The near end proves the first key; the far end takes any of them, so that keys can be changed one end at a time. In front
/// of a key may stand its number (0 to 255), by which a proof names it; without, keys are numbered from 0.
public struct KeyFile: Sendable {
    /// One key.
    public struct Key: Sendable {
        /// What a proof calls it.
        public var id: UInt8
        /// 32 bytes.
        public var bytes: [UInt8]
    }

    /// The keys in the file's order; never empty.
    public let keys: [Key]

    /// Bytes of a key.
    public static let keyLength = 32
    /// The most keys a file may have: each costs a far end one HMAC a connection.
    public static let most = 16

    /// Reads the text of a key file.
    public init(text: String) throws(CredentialError) {
        var keys: [Key] = []
        for (index, line) in CredentialLines.split(text).enumerated() {
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard let last = words.last else { continue }
            var id = UInt8(truncatingIfNeeded: keys.count)
            if words.count == 2 {
                guard let number = UInt8(words[0]) else {
                    // The word is not shown, for it may be the key: what is said goes to the log.
                    throw CredentialError(
                        line: index + 1, "no key number in front of the key: write one from 0 to 255, or the key alone")
                }
                id = number
            }
            guard words.count <= 2, let bytes = Self.decode(last), bytes.count == Self.keyLength else {
                throw CredentialError(
                    line: index + 1, "no key: `braid keygen` writes one (32 bytes as base64 or hexadecimal text)")
            }
            keys.append(Key(id: id, bytes: bytes))
        }
        guard !keys.isEmpty else { throw CredentialError(line: nil, "no key: `braid keygen` writes one") }
        guard keys.count <= Self.most else {
            throw CredentialError(line: nil, "more than \(Self.most) keys: remove old ones")
        }
        self.keys = keys
    }

    /// A new key as a line of a key file.
    public static func newLine() -> String {
        encode(Secrets.random(keyLength))
    }

    // MARK: Text

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// RFC 4648, section 4.
    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let rest = min(3, bytes.count - index)
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | (offset < rest ? UInt32(bytes[index + offset]) : 0) }
            for place in 0..<4 {
                text.append(place <= rest ? digits[Int(bits >> (18 - 6 * UInt32(place)) & 63)] : UInt8(ascii: "="))
            }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        let characters = Array(text.utf8)
        if characters.count == 2 * keyLength {
            let nibbles = characters.map { Character(UnicodeScalar($0)).hexDigitValue }
            guard nibbles.allSatisfy({ $0 != nil }) else { return nil }
            return stride(from: 0, to: nibbles.count, by: 2).map {
                UInt8((nibbles[$0] ?? 0) << 4 | (nibbles[$0 + 1] ?? 0))
            }
        }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        let unpadded = characters.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
        guard characters.count - unpadded.count <= 2 else { return nil }
        for character in unpadded {
            guard let digit = digits.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(digit)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bits & ((1 << UInt32(count)) - 1) == 0 ? bytes : nil
    }
}

/// The lines of a file of keys or users, whatever editor has written it: CR LF is one character to Swift.
enum CredentialLines {
    static func split(_ text: String) -> [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    }
}

/// What is wrong with a file of keys or users. Nothing of what the file says is in it: it goes to the log, and what stands in
/// the wrong place may be the secret.
public struct CredentialError: Error, Sendable, CustomStringConvertible {
    /// The line, counted from 1; `nil` when it is none in particular.
    public let line: Int?
    /// What is wrong, and what to do.
    public let message: String

    /// An error.
    public init(line: Int?, _ message: String) {
        self.line = line
        self.message = message
    }

    /// `line 3: …`, or the message alone.
    public var description: String { line.map { "line \($0): \(message)" } ?? message }
}
