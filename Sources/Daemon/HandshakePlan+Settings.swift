internal import Configuration
internal import Credentials
internal import Forwarding
internal import LinuxSystem
internal import Wire

extension HandshakePlan {
    /// What the data plane needs to know of a relay's preambles and of who may do what.
    ///
    /// - Parameters:
    ///   - settings: the relay.
    ///   - secrets: its keys and users.
    ///   - ownListeners: where this daemon listens.
    ///   - former: the relay's plan before a reload: what its verifier has seen stays seen, and its limits go on, so that open
    ///     and new connections together have what one limit gives.
    ///   - began: when this process began, in milliseconds since 1970.
    convenience init(
        _ settings: RelaySettings, _ secrets: RelaySecrets, ownListeners: OwnListeners, former: HandshakePlan?,
        began: UInt64
    ) {
        let listensToConvert = settings.listen.contains { ListenerKind($0.value) == .convert }
        self.init(
            timeout: settings.handshakeTimeout.wholeNanoseconds,
            access: ClientAccess(
                allow: settings.allow.map { $0.map { NetworkPrefix($0) } },
                deny: settings.deny.map { NetworkPrefix($0) }),
            acceptsProxy: settings.acceptProxy, trustedProxies: settings.trustedProxies.map { NetworkPrefix($0) },
            sendProxy: settings.sendProxy.map { ProxyVersion($0) },
            destinations: DestinationPolicy(
                allow: settings.destinations?.allow.map { $0.map { DestinationPolicy.Rule($0) } },
                deny: settings.destinations?.deny.map { DestinationPolicy.Rule($0) } ?? [], ownListeners: ownListeners),
            ignoresDestination: settings.ignoreDestination, requiresUser: settings.usersFile != nil,
            prover: secrets.keys.map { ConvertProver($0) },
            verifier: listensToConvert
                ? secrets.keys.map { ConvertVerifier($0, after: former?.verifier, began: began) } : nil,
            clientLimit: Self.clientLimit(settings, former), connectionRate: Self.connectionRate(settings, former),
            bandwidth: Self.bandwidth(settings, former),
            clientTLS: secrets.clientTLS, upstreamTLS: secrets.upstreamTLS,
            tag: Array(Secrets.hexadecimal(Secrets.random(6)).utf8))
    }

    private static func clientLimit(_ settings: RelaySettings, _ former: HandshakePlan?) -> ClientLimit? {
        guard settings.maxConnectionsPerClient > 0 else { return nil }
        guard let known = former?.clientLimit else { return ClientLimit(settings.maxConnectionsPerClient) }
        known.setLimit(settings.maxConnectionsPerClient)
        return known
    }

    private static func connectionRate(_ settings: RelaySettings, _ former: HandshakePlan?) -> ConnectionRate? {
        guard let limit = settings.rateLimit, let rate = limit.connections else { return nil }
        let perSecond = Double(rate.count) / (rate.interval / .seconds(1))
        let isPerClient = limit.per == .client
        guard let known = former?.connectionRate, known.isPerClient == isPerClient else {
            return ConnectionRate(perSecond: perSecond, isPerClient: isPerClient)
        }
        known.setRate(perSecond: perSecond)
        return known
    }

    private static func bandwidth(_ settings: RelaySettings, _ former: HandshakePlan?) -> BandwidthRate? {
        guard let limit = settings.rateLimit, let rate = limit.bandwidth else { return nil }
        let isPerClient = limit.per == .client
        guard let known = former?.bandwidth, known.isPerClient == isPerClient else {
            return BandwidthRate(bitsPerSecond: rate, isPerClient: isPerClient)
        }
        known.setRate(bitsPerSecond: rate)
        return known
    }
}

extension HandshakePlan.ProxyVersion {
    init(_ version: RelaySettings.ProxyVersion) {
        self =
            switch version {
            case .v1: .v1
            case .v2: .v2
            case .v2Multipath: .v2Multipath
            }
    }
}

extension ListenerKind {
    init(_ address: ListenAddress) {
        self =
            switch address {
            case .tcp, .mptcp, .unix, .descriptor: .plain
            case .socks5: .socks5
            case .http: .http
            case .transparent: .transparent
            case .convert: .convert
            }
    }
}

extension NetworkPrefix {
    init(_ network: IPNetwork) {
        switch network.address {
        case .v4(let bits): self.init(.ipv4(bits), length: network.prefixLength)
        case .v6(let bits): self.init(.ipv6(bits), length: network.prefixLength)
        }
    }
}

extension DestinationPolicy.Rule {
    init(_ pattern: DestinationPattern) {
        switch pattern.hosts {
        case .any: self.init(.any, ports: pattern.ports)
        case .network(let network): self.init(.network(NetworkPrefix(network)), ports: pattern.ports)
        case .name(let name): self.init(.name(name), ports: pattern.ports)
        }
    }
}
