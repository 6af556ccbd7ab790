/// The users of a `users-file`: a line each, `NAME:HASH`, `#` at its beginning makes it a remark. `braid passwd` writes them.
public struct UsersFile: Sendable {
    /// Hashes by name.
    public private(set) var hashes: [String: String] = [:]

    /// A hash of each method that the file has: what a password is compared with besides the user's own, so that unknown users
    /// take as long as known ones, whatever method those have.
    private let others: [String: String]

    /// Reads the text of a users file.
    public init(text: String) throws(CredentialError) {
        for (index, line) in CredentialLines.split(text).enumerated() {
            if line.allSatisfy(\.isWhitespace) || line.hasPrefix("#") { continue }
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw CredentialError(line: index + 1, "not NAME:HASH: `braid passwd FILE USER` writes such lines")
            }
            let name = String(line[..<colon])
            let hash = String(line[line.index(after: colon)...])
            guard PasswordHash.isUsable(hash) else {
                throw CredentialError(
                    line: index + 1,
                    "its password is not hashed by a method that is safe: `braid passwd FILE USER` writes one that is")
            }
            guard hashes.updateValue(hash, forKey: name) == nil else {
                throw CredentialError(line: index + 1, "this user is there already")
            }
        }
        guard !hashes.isEmpty else { throw CredentialError(line: nil, "no user: `braid passwd FILE USER` adds one") }
        // One for each method and cost that the file has, so that the time taken tells nothing in mixed files either.
        var others: [String: String] = [:]
        for hash in hashes.values.sorted() { others[PasswordHash.method(of: hash)] = hash }
        self.others = others
    }

    /// Whether the user exists and the password is his. It takes many milliseconds, for unknown users too: one hash of each
    /// method in the file, whoever asks.
    public func verify(name: [UInt8], password: [UInt8]) -> Bool {
        let hash = String(validating: name, as: UTF8.self).flatMap { hashes[$0] }
        let method = hash.map { PasswordHash.method(of: $0) }
        var isRight = false
        for (other, stranger) in others {
            let isOwn = other == method
            let fits = PasswordHash.verify(password, hash: isOwn ? hash ?? stranger : stranger)
            if isOwn, fits { isRight = true }
        }
        return isRight
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
