extension RelaySettings {
    /// Which combinations of TLS keys cannot work.
    func tlsConflicts() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        func refuse(_ key: String, _ why: String, _ remedy: String, if condition: Bool) {
            guard condition else { return }
            diagnostics.append(Diagnostic(at: locations[key], "'\(key)' \(why)", remedy))
        }
        for (side, tls) in [("tls.listen", listenTLS), ("tls.upstream", upstreamTLS)] {
            guard let tls else { continue }
            refuse(
                "\(side).certificate", "has no key beside it", "add key = \"/PATH\"",
                if: tls.certificate != nil && tls.key == nil)
            refuse(
                "\(side).key", "has no certificate beside it", "add certificate = \"/PATH\"",
                if: tls.key != nil && tls.certificate == nil)
        }
        if let tls = listenTLS {
            refuse(
                "tls.listen", "has neither certificate nor pre-shared key", "add certificate and key, or psk-file",
                if: tls.certificate == nil && tls.key == nil && tls.pskFile == nil)
            refuse(
                "tls.listen.certificate", "is shown to nobody, for clients have to prove a key of psk-file",
                "remove it, or add client-ca to let in clients with a certificate as well",
                if: tls.certificate != nil && tls.pskFile != nil && tls.clientCA == nil)
            refuse(
                "tls.listen", "cannot be where clients are redirected to, who know of no proxy",
                "remove it, or give transparent:// a relay of its own",
                if: listen.contains { if case .transparent = $0.value { true } else { false } })
            refuse(
                "tls.listen.client-ca", "needs a certificate of the listener's own", "add certificate and key",
                if: tls.clientCA != nil && tls.certificate == nil && tls.key == nil)
            refuse("tls.listen.ca", "is for tls.upstream", "write client-ca to verify clients", if: tls.ca != nil)
            refuse("tls.listen.server-name", "is for tls.upstream", "remove it", if: tls.serverName != nil)
            refuse(
                "tls.listen.verify", "is for tls.upstream", "write client-ca to verify clients",
                if: locations.isSet("tls.listen.verify"))
        }
        if let tls = upstreamTLS {
            refuse(
                "tls.upstream.client-ca", "is for tls.listen", "write ca to verify the upstream",
                if: tls.clientCA != nil)
            refuse(
                "tls.upstream", "has no name to verify the certificate of a Unix upstream by",
                "add server-name = \"NAME\", or verify = false",
                if: tls.verify && tls.serverName == nil && tls.pskFile == nil
                    && upstream.contains { if case .unix = $0.value { true } else { false } })
            refuse(
                "tls.upstream.ca", "is without effect, for verify is false", "remove one of them",
                if: tls.ca != nil && !tls.verify)
            refuse(
                "tls.upstream", "has no upstream that is dialled", "remove it",
                if: upstream.allSatisfy(\.value.isBuiltIn))
        }
        return diagnostics
    }
}
