/// Spells a metadata key (`bytes-up`) as the log formats want it.
enum LogFieldName {
    /// For text and JSON: lower case, anything but letters and digits as `_`: `bytes_up`.
    static func plain(_ key: String) -> String {
        String(decoding: key.utf8.map { spell($0, upper: false) }, as: UTF8.self)
    }

    /// For the journal: upper case, prefixed, at most the 64 characters that journald accepts: `BRAID_BYTES_UP`.
    static func journal(_ key: String) -> String {
        String(decoding: ("braid_" + key).utf8.prefix(64).map { spell($0, upper: true) }, as: UTF8.self)
    }

    private static func spell(_ byte: UInt8, upper: Bool) -> UInt8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        case UInt8(ascii: "a")...UInt8(ascii: "z"): upper ? byte - 0x20 : byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): upper ? byte : byte + 0x20
        default: UInt8(ascii: "_")
        }
    }
}
