internal import Configuration
internal import Credentials
internal import FoundationEssentials
internal import TLS

/// A relay's keys and users.
struct RelaySecrets {
    var keys: KeyFile?
    var users: UsersFile?
    var clientTLS: TLSContext?
    var upstreamTLS: TLSContext?
}

/// The keys and users of all relays, as their files have them at the start or at a reload.
struct RelayCredentials {
    private var secrets: [String: RelaySecrets] = [:]

    /// Reads every file that a relay names.
    ///
    /// - Throws: `StartError` with the line that names it.
    init(_ relays: [RelaySettings]) throws(StartError) {
        for relay in relays {
            var own = RelaySecrets()
            if let path = relay.keyFile {
                own.keys = try Self.read(path, relay.locations["key-file"]) { text throws(CredentialError) in
                    try KeyFile(text: text)
                }
            }
            if let path = relay.usersFile {
                own.users = try Self.read(path, relay.locations["users-file"]) { text throws(CredentialError) in
                    try UsersFile(text: text)
                }
            }
            if let tls = relay.listenTLS { own.clientTLS = try Self.context(tls, "tls.listen", relay, isServer: true) }
            if let tls = relay.upstreamTLS {
                own.upstreamTLS = try Self.context(tls, "tls.upstream", relay, isServer: false)
            }
            secrets[relay.name] = own
        }
    }

    subscript(relay: String) -> RelaySecrets { secrets[relay] ?? RelaySecrets() }

    /// Reads a file; one that is secret must not be for everyone.
    static func read<Value>(
        _ path: String, _ location: SourceLocation, isSecret: Bool = true,
        _ parse: (String) throws(CredentialError) -> Value
    ) throws(StartError) -> Value {
        do {
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? any BinaryInteger
            guard !isSecret || (mode.map { Int($0) } ?? 0o777) & 0o007 == 0 else {
                throw CredentialError(line: nil, "everyone may read it: chmod o-rwx \(path)")
            }
            return try parse(try String(contentsOfFile: path, encoding: .utf8))
        } catch let error as CredentialError {
            throw StartError(at: location, "\(path): \(error)")
        } catch let error as CocoaError {
            throw StartError(
                at: location,
                "\(path): \(error.code == .fileReadNoSuchFile ? "there is no such file" : "it cannot be read (\(error.code.rawValue))")"
            )
        } catch {
            throw StartError(at: location, "\(path): \(error)")
        }
    }
}
