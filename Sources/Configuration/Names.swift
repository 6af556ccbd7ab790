import TOML

/// Names of network interfaces.
enum InterfaceName {
    /// At most 15 bytes (IFNAMSIZ less one), no slash, no space (netdevice(7)).
    static func parse(_ text: String) throws(TOMLBadValue) -> String {
        let isValid =
            (1...15).contains(text.utf8.count) && text != "." && text != ".."
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
        guard isValid else {
            throw TOMLBadValue(
                "has \"\(text)\", which is no interface", "write its name as 'ip link' shows it, at most 15 characters")
        }
        return text
    }
}

/// Names of relays and links.
enum PlainName {
    /// `[A-Za-z0-9._-]+`, at most 64 characters: it appears in metrics, log fields and commands.
    static func parse(_ text: String) throws(TOMLBadValue) -> String {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(isAllowed) else {
            throw TOMLBadValue(
                "is \"\(text)\", which is no name", "write 1 to 64 letters, digits, dots, underscores and hyphens")
        }
        return text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Paths of files and Unix sockets.
enum PathText {
    /// What fits into `sun_path` with its final NUL (unix(7)).
    static let longestSocketPath = 107

    /// An absolute path: what a relative one would be relative to is never what was meant.
    static func absolute(_ text: String) throws(TOMLBadValue) -> String {
        guard text.hasPrefix("/"), !text.utf8.contains(0), text.utf8.count < 4096 else {
            throw TOMLBadValue("is \"\(text)\", which is no absolute path", "write the whole path, beginning with /")
        }
        return text
    }

    /// The absolute path of a Unix socket.
    static func socket(_ text: String) throws(TOMLBadValue) -> String {
        let path = try absolute(text)
        guard path.utf8.count <= longestSocketPath else {
            throw TOMLBadValue(
                "has a socket path of \(path.utf8.count) bytes", "use a path of at most \(longestSocketPath) bytes")
        }
        return path
    }
}
