internal import CTLS

/// What one end of TLS 1.3 (RFC 8446) connections needs: its certificate, whom it trusts, its pre-shared keys, and the
/// sessions that may be resumed.
///
/// Safety: what the pointer leads to is not changed once it is made, but for the sessions to resume, which a lock guards;
/// OpenSSL counts the holders of the rest atomically. So threads may share it.
@safe
public final class TLSContext: @unchecked Sendable {
    private let context: OpaquePointer

    /// What belongs to one end. Texts are PEM (RFC 7468).
    public struct Setup {
        /// The own certificate and those that vouch for it, and its private key.
        public var certificate: String?
        /// The private key of `certificate`, not encrypted.
        public var key: String?
        /// Who may vouch for the peer's certificate.
        public var authorities: String?
        /// Those whom the system trusts may vouch, too.
        public var trustsSystem = false
        /// A server asks for the client's certificate, a client verifies the server's; without a good one there is no
        /// connection. Whoever proves a pre-shared key needs none.
        public var verifiesPeer = false
        /// External pre-shared keys; a client proves the first, a server takes each.
        public var sharedKeys: [SharedKey] = []

        /// Nothing yet.
        public init() {}
    }

    /// An external pre-shared key, RFC 8446 section 2.2.
    public struct SharedKey: Sendable {
        /// What the client calls it, in clear text.
        public var identity: [UInt8]
        /// The secret.
        public var key: [UInt8]

        /// A key of these parts.
        public init(identity: [UInt8], key: [UInt8]) {
            self.identity = identity
            self.key = key
        }
    }

    /// Why a context cannot be made.
    public struct Failure: Error {
        /// What is at fault.
        public enum Part: Sendable {
            case certificate
            case key
            case authorities
            case library
        }

        /// What is at fault.
        public let part: Part
        /// In OpenSSL's words.
        public let reason: String
    }

    /// A context for servers, or for clients.
    ///
    /// - Throws: `Failure` when a text is no PEM, or the key is not the certificate's.
    public init(isServer: Bool, _ setup: Setup) throws(Failure) {
        var c = unsafe braid_tls_setup()
        unsafe c.is_server = isServer
        unsafe c.trusts_system = setup.trustsSystem
        unsafe c.verifies_peer = setup.verifiesPeer
        unsafe c.has_keys = !setup.sharedKeys.isEmpty
        var part: CChar = 0
        var reason = [CChar](repeating: 0, count: 256)
        let made = unsafe Self.withText(setup.certificate) { certificate in
            unsafe Self.withText(setup.key) { key in
                unsafe Self.withText(setup.authorities) { authorities in
                    unsafe c.certificate = certificate
                    unsafe c.key = key
                    unsafe c.authorities = authorities
                    return unsafe braid_tls_context_make(&c, &part, &reason, reason.count)
                }
            }
        }
        guard let made = unsafe made else {
            let words = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw Failure(part: Self.part(part), reason: words)
        }
        unsafe context = made
        for shared in setup.sharedKeys where !add(shared) {
            throw Failure(part: .library, reason: "no memory")
        }
    }

    deinit { unsafe braid_tls_context_free(context) }

    /// Begins a session on a connected socket that does not block.
    ///
    /// - Parameters:
    ///   - raw: the socket. It stays its owner's, and has to outlive the session.
    ///   - peer: whom a server's certificate has to name; `nil` on a server, and where that is not verified.
    ///   - place: tells peers apart whose sessions may be resumed.
    ///   - early: what was read from the socket already.
    /// - Returns: `nil` without memory.
    public func begin(_ raw: CInt, peer: TLSPeer? = nil, place: UInt64 = 0, early: [UInt8] = []) -> TLSSession? {
        var isAddress = false
        if case .address = peer { isAddress = true }
        let session = unsafe Self.withText(peer?.text) { name in
            unsafe early.withUnsafeBytes { early in
                unsafe braid_tls_begin(context, raw, name, isAddress, place, early.baseAddress, early.count)
            }
        }
        return unsafe session.map { unsafe TLSSession($0) }
    }

    // MARK: Parts

    private func add(_ shared: SharedKey) -> Bool {
        let answer = unsafe shared.identity.withUnsafeBytes { identity in
            unsafe shared.key.withUnsafeBytes { key in
                unsafe braid_tls_context_add_key(
                    context, identity.baseAddress, identity.count, key.baseAddress, key.count)
            }
        }
        return answer == 0
    }

    private static func part(_ letter: CChar) -> Failure.Part {
        switch UInt8(bitPattern: letter) {
        case UInt8(ascii: "c"): .certificate
        case UInt8(ascii: "k"): .key
        case UInt8(ascii: "a"): .authorities
        default: .library
        }
    }

    private static func withText<Value>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }
}

/// Whom a server's certificate has to name.
public enum TLSPeer: Sendable, Hashable {
    /// A DNS name, which is also told to the server (SNI, RFC 6066).
    case name(String)
    /// An IP address in its usual form.
    case address(String)

    var text: String {
        switch self {
        case .name(let text), .address(let text): text
        }
    }
}
