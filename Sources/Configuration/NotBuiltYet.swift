/// What can be configured and is not built yet. `braid run` refuses it rather than ignoring it. Whoever builds a
/// feature removes its line here; when none is left, this file goes.
extension Settings {
    /// One error for each use of something that is not built yet; empty when all of it can run.
    public func notBuiltYet() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for relay in relays {
            for listen in relay.listen {
                guard let scheme = Self.unbuiltScheme(listen.value) else { continue }
                diagnostics.append(Self.refusal("listening on \(scheme)", at: listen.location))
            }
            for upstream in relay.upstream {
                guard let scheme = Self.unbuiltScheme(upstream.value) else { continue }
                diagnostics.append(Self.refusal("dialling \(scheme)", at: upstream.location))
            }
            for (key, isUsed) in Self.relayKeys where isUsed(relay) {
                diagnostics.append(Self.refusal("'\(key)'", at: relay.locations[key]))
            }
        }
        return diagnostics
    }

    private static func unbuiltScheme(_ address: ListenAddress) -> String? {
        switch address {
        case .tcp, .mptcp, .unix, .descriptor: nil
        case .socks5: "socks5://"
        case .http: "http://"
        case .transparent: "transparent://"
        case .convert: "convert://"
        }
    }

    private static func unbuiltScheme(_ address: UpstreamAddress) -> String? {
        switch address {
        case .tcp, .mptcp, .mptcpService, .unix, .echo, .dashboard: nil
        case .convert: "convert://"
        case .directTCP: "direct+tcp://"
        case .directMPTCP: "direct+mptcp://"
        }
    }

    private static let relayKeys: [(key: String, isUsed: @Sendable (RelaySettings) -> Bool)] = [
        ("handshake-timeout", { $0.handshakeTimeout != .seconds(5) }),
        ("users-file", { $0.usersFile != nil }),
        ("insecure-open-relay", { $0.insecureOpenRelay }),
        ("ignore-destination", { $0.ignoreDestination }),
        ("allow", { $0.allow != nil }),
        ("deny", { !$0.deny.isEmpty }),
        ("destinations", { $0.destinations != nil }),
        ("accept-proxy", { $0.acceptProxy }),
        ("send-proxy", { $0.sendProxy != nil }),
        ("trusted-proxies", { !$0.trustedProxies.isEmpty }),
        ("key-file", { $0.keyFile != nil }),
        ("tls", { $0.listenTLS != nil || $0.upstreamTLS != nil }),
        ("rate-limit", { $0.rateLimit != nil }),
    ]

    private static func refusal(_ what: String, at location: SourceLocation) -> Diagnostic {
        Diagnostic(at: location, "\(what): not built yet", "remove it until a later version has it")
    }
}
