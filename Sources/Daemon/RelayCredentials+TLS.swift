internal import Configuration
internal import Credentials
internal import TLS

/// Certificates and pre-shared keys of a relay.
extension RelayCredentials {
    /// What one end of a relay's TLS connections needs, from the files that its settings name.
    ///
    /// - Throws: `StartError` with the line that names the file at fault.
    static func context(
        _ tls: TLSSettings, _ table: String, _ relay: RelaySettings, isServer: Bool
    ) throws(StartError) -> TLSContext {
        func text(_ path: String?, _ key: String, isSecret: Bool = false) throws(StartError) -> String? {
            guard let path else { return nil }
            return try read(path, relay.locations["\(table).\(key)"], isSecret: isSecret) {
                text throws(CredentialError) in
                text
            }
        }
        var setup = TLSContext.Setup()
        setup.certificate = try text(tls.certificate, "certificate")
        setup.key = try text(tls.key, "key", isSecret: true)
        setup.authorities = isServer ? try text(tls.clientCA, "client-ca") : try text(tls.ca, "ca")
        setup.verifiesPeer = isServer ? tls.clientCA != nil : tls.verify
        if let path = tls.pskFile {
            let file = try read(path, relay.locations["\(table).psk-file"]) { text throws(CredentialError) in
                try PreSharedKeyFile(text: text)
            }
            setup.sharedKeys = file.keys.map { TLSContext.SharedKey(identity: $0.identity, key: $0.bytes) }
        }
        // Whoever has agreed on a key trusts the key, and nobody whom the system trusts.
        setup.trustsSystem = !isServer && tls.verify && tls.ca == nil && tls.pskFile == nil
        do throws(TLSContext.Failure) {
            return try TLSContext(isServer: isServer, setup)
        } catch {
            let (key, path): (String, String?) =
                switch error.part {
                case .certificate: ("\(table).certificate", tls.certificate)
                case .key: ("\(table).key", tls.key)
                case .authorities: isServer ? ("\(table).client-ca", tls.clientCA) : ("\(table).ca", tls.ca)
                case .library: (table, nil)
                }
            let place = path.map { "\($0): " } ?? ""
            throw StartError(at: relay.locations[key], "\(place)\(error.words)")
        }
    }
}

extension TLSContext.Failure {
    /// What is wrong, and what to do.
    fileprivate var words: String {
        switch part {
        case .certificate, .authorities: "no certificate in PEM form (\(reason))"
        case .key: "no private key in PEM form, without a passphrase, that belongs to the certificate (\(reason))"
        case .library: "TLS: \(reason)"
        }
    }
}
