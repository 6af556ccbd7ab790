import TOML

/// What listen and upstream addresses have in common: `SCHEME://REST`.
enum AddressScheme {
    static func split(
        _ text: String, known: [String], example: String
    ) throws(TOMLBadValue) -> (scheme: String, rest: Substring) {
        var rest = Substring(text)
        let scheme = String(rest.prefix { $0 != ":" })
        rest = rest.dropFirst(scheme.count)
        guard rest.hasPrefix("://") else {
            throw TOMLBadValue("has \"\(text)\", which is no address", "write one such as \"\(example)\"")
        }
        guard known.contains(scheme) else {
            let near = NearestWord.find(scheme, among: known)
            let remedy = near.map { "write \($0)://" } ?? "it takes " + known.map { "\($0)://" }.joined(separator: ", ")
            throw TOMLBadValue("cannot be a \(scheme):// address", remedy)
        }
        return (scheme, rest.dropFirst(3))
    }

    static func unixPath(_ rest: Substring, in whole: String) throws(TOMLBadValue) -> String {
        guard rest.hasPrefix("/"), !rest.hasSuffix("/") else {
            throw TOMLBadValue("has \"\(whole)\", whose path is not absolute", "write unix:///PATH, with three slashes")
        }
        return try PathText.socket(String(rest))
    }

    /// `FileDescriptorName=` of systemd.socket(5): no control characters, no colon, at most 255 characters.
    static func descriptorName(_ rest: Substring, in whole: String) throws(TOMLBadValue) -> String {
        let isValid =
            (1...255).contains(rest.utf8.count)
            && rest.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "/") }
        guard isValid else {
            throw TOMLBadValue(
                "has \"\(whole)\", whose name is wrong", "write fd://NAME, as FileDescriptorName=NAME has it")
        }
        return String(rest)
    }
}
