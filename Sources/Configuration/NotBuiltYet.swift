/// What can be configured and is not built yet. `braid run` refuses it rather than ignoring it. Whoever builds a
/// feature removes its line here; when none is left, this file goes.
extension Settings {
    /// One error for each use of something that is not built yet; empty when all of it can run.
    public func notBuiltYet() -> [Diagnostic] {
        var diagnostics = Self.sections.compactMap { feature in
            feature.isUsed(self) ? Self.refusal("'\(feature.key)'", at: feature.location(self)) : nil
        }
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
        for link in paths.links {
            for (key, isUsed) in Self.linkKeys where isUsed(link) {
                diagnostics.append(Self.refusal("'\(key)'", at: link.locations[key]))
            }
        }
        return diagnostics
    }

    private static let linkKeys: [(key: String, isUsed: @Sendable (LinkSettings) -> Bool)] = [
        ("max-rtt", { $0.maxRTT != .zero }),
        ("max-loss", { $0.maxLoss != 0 }),
        ("monthly-limit", { $0.monthlyLimit != 0 }),
    ]

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
        case .tcp, .mptcp, .mptcpService, .unix, .echo: nil
        case .convert: "convert://"
        case .directTCP: "direct+tcp://"
        case .directMPTCP: "direct+mptcp://"
        case .dashboard: "dashboard://"
        }
    }

    private static let relayKeys: [(key: String, isUsed: @Sendable (RelaySettings) -> Bool)] = [
        ("mode", { $0.mode != .aggregate }),
        ("handshake-timeout", { $0.handshakeTimeout != .seconds(5) }),
        ("users-file", { $0.usersFile != nil }),
        ("insecure-open-relay", { $0.insecureOpenRelay }),
        ("ignore-destination", { $0.ignoreDestination }),
        ("allow", { $0.allow != nil }),
        ("deny", { !$0.deny.isEmpty }),
        ("destinations", { $0.destinations != nil }),
        ("require-multipath", { $0.requireMultipath }),
        ("accept-proxy", { $0.acceptProxy }),
        ("send-proxy", { $0.sendProxy != nil }),
        ("trusted-proxies", { !$0.trustedProxies.isEmpty }),
        ("key-file", { $0.keyFile != nil }),
        ("tls", { $0.listenTLS != nil || $0.upstreamTLS != nil }),
        ("rate-limit", { $0.rateLimit != nil }),
        ("socket.congestion", { $0.congestionIsAutomatic("socket.congestion") }),
        ("socket.listen.congestion", { $0.congestionIsAutomatic("socket.listen.congestion") }),
        ("socket.upstream.congestion", { $0.congestionIsAutomatic("socket.upstream.congestion") }),
    ]

    private struct Feature: Sendable {
        let key: String
        let isUsed: @Sendable (Settings) -> Bool
        let location: @Sendable (Settings) -> SourceLocation
    }

    private static let sections: [Feature] = [
        admin("socket") { $0.socket != nil && $0.socket != "/run/braid/admin.sock" },
        admin("http") { $0.http != nil },
        paths("routing") { $0.routing },
        paths("stall-timeout") { $0.stallTimeout != .automatic },
        paths("guard") { !$0.guardsLinks },
    ]

    private static func admin(_ key: String, isUsed: @escaping @Sendable (AdminSettings) -> Bool) -> Feature {
        Feature(key: key, isUsed: { isUsed($0.admin) }, location: { $0.admin.locations[key] })
    }

    private static func paths(_ key: String, isUsed: @escaping @Sendable (PathSettings) -> Bool) -> Feature {
        Feature(key: key, isUsed: { isUsed($0.paths) }, location: { $0.paths.locations[key] })
    }

    private static func refusal(_ what: String, at location: SourceLocation) -> Diagnostic {
        Diagnostic(at: location, "\(what): not built yet", "remove it until a later version has it")
    }
}

extension RelaySettings {
    /// Whether the key at this place says `"auto"`.
    fileprivate func congestionIsAutomatic(_ key: String) -> Bool {
        guard locations.isSet(key) else { return false }
        return switch key {
        case "socket.listen.congestion": listenSocket.congestion == .automatic
        case "socket.upstream.congestion": upstreamSocket.congestion == .automatic
        default:
            !locations.isSet("socket.listen.congestion") && listenSocket.congestion == .automatic
                || !locations.isSet("socket.upstream.congestion") && upstreamSocket.congestion == .automatic
        }
    }
}
