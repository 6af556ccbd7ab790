internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import TLS

extension RelayPlan {
    /// What the data plane needs to know of a configured relay.
    ///
    /// - Parameters:
    ///   - settings: the relay.
    ///   - id: its number in this process.
    ///   - raceDelay: `paths.race-delay`.
    ///   - gate: the gate of the whole daemon.
    ///   - dashboard: serves `dashboard://`.
    init(
        _ settings: RelaySettings, id: Int, raceDelay: Duration, gate: AdmissionGate, dashboard: ConnectionTaker?
    ) {
        let listenSocket = SocketPlan(settings.listenSocket)
        self.init(
            id: id, name: settings.name,
            upstreams: settings.upstream.compactMap { UpstreamPlan($0.value, dashboard: dashboard) },
            connectTimeout: settings.connectTimeout.wholeNanoseconds,
            idleTimeout: settings.idleTimeout.wholeNanoseconds,
            halfCloseTimeout: settings.halfCloseTimeout.wholeNanoseconds,
            raceDelay: raceDelay.wholeNanoseconds,
            clientUserTimeout: listenSocket.userTimeout,
            clientNoDelay: listenSocket.noDelay,
            upstreamSocket: SocketPlan(settings.upstreamSocket),
            requiresMultipath: settings.requireMultipath, mode: LinkMode(settings.mode),
            gate: AdmissionGate(limit: settings.maxConnections, outer: gate))
        if let tls = settings.upstreamTLS {
            for index in upstreams.indices {
                upstreams[index].tlsPeer = tls.serverName.map { .name($0) } ?? settings.upstream[index].value.tlsPeer
            }
        }
        clientChoosesCongestion = listenSocket.choosesCongestion
        slowStart = settings.slowStart.wholeNanoseconds
        balance =
            switch settings.balance {
            case .failover: .failover
            case .roundRobin: .roundRobin
            case .leastConnections: .leastConnections
            case .sourceHash: .sourceHash
            }
    }
}

extension LinkMode {
    init(_ mode: RelaySettings.Mode) {
        self =
            switch mode {
            case .aggregate: .aggregate
            case .handover: .handover
            case .interactive: .interactive
            }
    }
}

extension UpstreamAddress {
    /// Whom the certificate of an upstream has to name. For a service that is the domain, not the host that the DNS answers
    /// with, for anyone may have written that answer (RFC 6125, section 1.8).
    fileprivate var tlsPeer: TLSPeer? {
        switch self {
        case .tcp(let target), .mptcp(let target), .convert(let target):
            switch target.host {
            case .address(let address): .address("\(address)")
            case .name(let name): .name(name)
            case .any: nil
            }
        case .mptcpService(let name):
            .name(name.split(separator: ".").drop { $0.hasPrefix("_") }.joined(separator: "."))
        case .unix, .echo, .dashboard, .directTCP, .directMPTCP: nil
        }
    }
}

extension UpstreamPlan {
    /// `nil` for `dashboard://` in a daemon that serves none, which is refused before.
    init?(_ address: UpstreamAddress, dashboard: ConnectionTaker?) {
        switch address {
        case .tcp(let target): self.init(.tcp, target)
        case .mptcp(let target): self.init(.mptcp, target)
        case .unix(let path): self.init(kind: .unix(path), addresses: [], isName: false)
        case .echo: self.init(kind: .echo, addresses: [], isName: false)
        case .convert(let target):
            self.init(.mptcp, target)
            kind = .convert
        case .directTCP: self.init(kind: .direct(.tcp), addresses: [], isName: false)
        case .directMPTCP: self.init(kind: .direct(.mptcp), addresses: [], isName: false)
        case .mptcpService: self.init(kind: .network(.mptcp), addresses: [], isName: true)
        case .dashboard:
            guard let dashboard else { return nil }
            self.init(kind: .handed(dashboard), addresses: [], isName: false)
        }
    }

    private init(_ streamProtocol: StreamProtocol, _ target: HostPort) {
        let address = SocketAddress(target)
        self.init(
            kind: .network(streamProtocol), addresses: address.map { [$0] } ?? [], isName: target.dnsName != nil)
    }
}

extension SocketAddress {
    /// The address of a target that is given as one; `nil` for a name, and for a scope that names no interface here.
    init?(_ target: HostPort) {
        guard case .address(let address) = target.host else { return nil }
        if let scope = target.scope {
            try? self.init(parsing: "\(address)%\(scope)", port: target.port)
        } else {
            self.init(bytes: address.bytes.span, port: target.port)
        }
    }
}

extension HostPort {
    /// The name to look up, when the host is one.
    var dnsName: String? {
        if case .name(let name) = host { name } else { nil }
    }
}
