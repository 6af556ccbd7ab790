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
    ///   - former: what has verified for the relay before a reload: what it has seen stays seen.
    convenience init(
        _ settings: RelaySettings, _ secrets: RelaySecrets, ownListeners: OwnListeners, former: ConvertVerifier?
    ) {
        let limit = settings.rateLimit
        let isPerClient = limit?.per == .client
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
            verifier: listensToConvert ? secrets.keys.map { ConvertVerifier($0, after: former) } : nil,
            connectionRate: limit?.connections.map {
                ConnectionRate(
                    perSecond: Double($0.count) / ($0.interval / .seconds(1)), isPerClient: isPerClient)
            },
            bandwidth: limit?.bandwidth.map { BandwidthRate(bitsPerSecond: $0, isPerClient: isPerClient) },
            clientTLS: secrets.clientTLS, upstreamTLS: secrets.upstreamTLS,
            tag: Secrets.random(6).flatMap { Array(String($0, radix: 16).utf8) })
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
