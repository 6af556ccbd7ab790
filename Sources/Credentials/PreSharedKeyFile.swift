/// The keys of a `psk-file`: a line each, `IDENTITY:KEY`, the key in hexadecimal digits, 16 to 64 bytes; `#` begins a remark.
///
/// A client proves the first, a server takes any of them, so that keys can be changed one end at a time. The identity crosses
/// the network in clear text.
public struct PreSharedKeyFile: Sendable {
    /// One key.
    public struct Key: Sendable {
        /// What the client calls it.
        public var identity: [UInt8]
        /// The secret.
        public var bytes: [UInt8]
    }

    /// The keys in the file's order; never empty.
    public let keys: [Key]

    /// The most keys a file may have.
    public static let most = 1024
    private static let lengths = 16...64

    /// Reads the text of a file.
    ///
    /// - Throws: `CredentialError` with the line; never with what the line says.
    public init(text: String) throws(CredentialError) {
        var keys: [Key] = []
        var identities: Set<[UInt8]> = []
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, raw) in lines.enumerated() {
            let line = Self.trimmed(raw.prefix { $0 != UInt8(ascii: "#") })
            if line.isEmpty { continue }
            guard let colon = line.lastIndex(of: UInt8(ascii: ":")) else {
                throw CredentialError(
                    line: index + 1, "no pre-shared key: write IDENTITY:KEY, the key in hexadecimal digits")
            }
            let identity = Array(line[..<colon])
            guard !identity.isEmpty, identity.count <= 128 else {
                throw CredentialError(line: index + 1, "the identity must have 1 to 128 bytes")
            }
            guard let bytes = Self.bytes(line[line.index(after: colon)...]), Self.lengths.contains(bytes.count) else {
                throw CredentialError(
                    line: index + 1, "the key must be 32 to 128 hexadecimal digits: `openssl rand -hex 32` writes one")
            }
            guard identities.insert(identity).inserted else {
                throw CredentialError(line: index + 1, "the identity has a key already: remove one of them")
            }
            keys.append(Key(identity: identity, bytes: bytes))
        }
        guard !keys.isEmpty else { throw CredentialError(line: nil, "no pre-shared key: write IDENTITY:KEY") }
        guard keys.count <= Self.most else {
            throw CredentialError(line: nil, "more than \(Self.most) keys: remove old ones")
        }
        self.keys = keys
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        let isSpace = { (byte: UInt8) in byte == 32 || byte == 9 || byte == 13 }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text = text.dropLast() }
        return text
    }

    private static func bytes(_ text: Substring.UTF8View) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = Character(UnicodeScalar(character)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return bytes
    }
}
