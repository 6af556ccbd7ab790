/// The users of a `users-file`: a line each, `NAME:HASH`, `#` at its beginning makes it a remark. `braid passwd` writes them.
public struct UsersFile: Sendable {
    /// Hashes by name.
    public private(set) var hashes: [String: String] = [:]

    /// What unknown users' passwords are compared with, so that they take as long as known ones'.
    private let nobody: String

    /// Reads the text of a users file.
    public init(text: String) throws(CredentialError) {
        try self.init(text: text, isUsable: PasswordHash.isUsable)
    }

    /// - Parameter isUsable: whether a hash is one; asking libcrypt takes a while for each.
    init(text: String, isUsable: (String) -> Bool) throws(CredentialError) {
        for (index, line) in CredentialLines.split(text).enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw CredentialError(line: index + 1, "not NAME:HASH: `braid passwd FILE USER` writes such lines")
            }
            let name = String(line[..<colon])
            let hash = String(line[line.index(after: colon)...])
            guard isUsable(hash) else {
                throw CredentialError(
                    line: index + 1,
                    "the password of \"\(name)\" is not hashed by a method that is safe: `braid passwd FILE \(name)`")
            }
            guard hashes.updateValue(hash, forKey: name) == nil else {
                throw CredentialError(line: index + 1, "\"\(name)\" is there twice")
            }
        }
        guard !hashes.isEmpty else { throw CredentialError(line: nil, "no user: `braid passwd FILE USER` adds one") }
        nobody = hashes.values.min() ?? ""
    }

    /// Whether the user exists and the password is his. It takes many milliseconds, for unknown users too.
    public func verify(name: [UInt8], password: [UInt8]) -> Bool {
        let hash = String(validating: name, as: UTF8.self).flatMap { hashes[$0] }
        let isRight = PasswordHash.verify(password, hash: hash ?? nobody)
        return hash != nil && isRight
    }

    /// The text of a file with one user more, or with another password for one that is there; other lines stay as they are.
    public static func text(_ text: String, setting name: String, to hash: String) -> String {
        var lines = CredentialLines.split(text).map(String.init)
        while lines.last?.isEmpty == true { lines.removeLast() }
        if let index = lines.firstIndex(where: { $0.hasPrefix("\(name):") }) {
            lines[index] = "\(name):\(hash)"
        } else {
            lines.append("\(name):\(hash)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
