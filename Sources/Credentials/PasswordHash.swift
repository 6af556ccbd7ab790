internal import CCrypt

/// Password hashes as crypt(5) has them.
public enum PasswordHash {
    /// The longest password that libcrypt takes.
    public static let longestPassword = 511

    /// A hash of the password with a fresh salt: yescrypt, or SHA-512 where libcrypt has no yescrypt.
    public static func make(_ password: [UInt8]) throws(CredentialError) -> String {
        guard !password.isEmpty, password.count <= longestPassword, !password.contains(0) else {
            throw CredentialError(line: nil, "a password has 1 to \(longestPassword) bytes, none of them 0")
        }
        for prefix in ["$y$", "$6$"] {
            var setting = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
            guard unsafe braid_crypt_setting(prefix, &setting) == 0 else { continue }
            if let hash = crypt(password, setting: setting) { return hash }
        }
        throw CredentialError(line: nil, "libcrypt makes neither yescrypt nor SHA-512 hashes")
    }

    /// Whether it is the password of the hash. It takes as long as the hash's method wants: many milliseconds.
    public static func verify(_ password: [UInt8], hash: String) -> Bool {
        // A NUL would end the C string early.
        let isPossible = !password.isEmpty && password.count <= longestPassword && !password.contains(0)
        let found = crypt(isPossible ? password : [0x2D], setting: hash.utf8.map { CChar(bitPattern: $0) } + [0])
        return isPossible && found.map { Secrets.equal(Array($0.utf8), Array(hash.utf8)) } == true
    }

    /// Whether libcrypt knows the method of a hash, and it is one that is slow on purpose.
    public static func isUsable(_ hash: String) -> Bool {
        ["$y$", "$gy$", "$7$", "$2b$", "$2y$", "$2a$", "$6$", "$5$"].contains { hash.hasPrefix($0) }
            && crypt([0x2D], setting: hash.utf8.map { CChar(bitPattern: $0) } + [0]) != nil
    }

    /// What a hash says of the time it takes: method and cost, without salt. crypt(5)
    static func method(of hash: String) -> String {
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count > 2 else { return hash }
        switch parts[1] {
        // N, r and p are the first characters of the salt.
        case "7": return "7 \(parts[2].prefix(11))"
        case "5", "6": return parts[2].hasPrefix("rounds=") ? "\(parts[1]) \(parts[2])" : "\(parts[1])"
        default: return "\(parts[1]) \(parts[2])"
        }
    }

    private static func crypt(_ password: [UInt8], setting: [CChar]) -> String? {
        var phrase = password.map { CChar(bitPattern: $0) } + [0]
        defer { Secrets.wipe(&phrase) }
        var out = [CChar](repeating: 0, count: Int(CRYPT_OUTPUT_SIZE))
        guard unsafe braid_crypt(phrase, setting, &out) == 0 else { return nil }
        return String(decoding: out.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
