/// What can be configured and is not built yet. `braid run` refuses it rather than ignoring it. Whoever builds a
/// feature removes its line here; when none is left, this file goes.
extension Settings {
    /// One error for each use of something that is not built yet; empty when all of it can run.
    public func notBuiltYet() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for relay in relays {
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

    private static func unbuiltScheme(_ address: UpstreamAddress) -> String? {
        switch address {
        case .tcp, .mptcp, .mptcpService, .unix, .echo, .convert, .directTCP, .directMPTCP, .dashboard: nil
        }
    }

    private static let relayKeys: [(key: String, isUsed: @Sendable (RelaySettings) -> Bool)] = [
        ("tls", { $0.listenTLS != nil || $0.upstreamTLS != nil })
    ]

    private static func refusal(_ what: String, at location: SourceLocation) -> Diagnostic {
        Diagnostic(at: location, "\(what): not built yet", "remove it until a later version has it")
    }
}
