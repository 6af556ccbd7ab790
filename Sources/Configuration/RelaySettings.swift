/// `[[relay]]`
public struct RelaySettings: Sendable, Equatable {
    /// How one of several upstreams is chosen.
    public enum Balance: String, Sendable, CaseIterable {
        /// In order: the next only when those before it fail.
        case failover
        case roundRobin = "round-robin"
        case leastConnections = "least-connections"
        case sourceHash = "source-hash"
    }

    /// How links are used.
    public enum Mode: String, Sendable, CaseIterable {
        /// All of them.
        case aggregate
        /// The first healthy one, moving on failure.
        case handover
        /// The one with the lowest latency, moving on delay.
        case interactive
    }

    /// A version of the PROXY protocol.
    public enum ProxyVersion: String, Sendable, CaseIterable {
        case v1, v2
        /// Version 2 with what is known about the client's multipath (TLV 0xE2).
        case v2Multipath = "v2+multipath"
    }

    /// Unique. Default: `relay1`, `relay2`, … by position.
    public var name: String
    /// What it accepts; never empty.
    public var listen: [Located<ListenAddress>]
    /// Where it dials; never empty.
    public var upstream: [Located<UpstreamAddress>]
    /// Default: failover.
    public var balance = Balance.failover
    /// Nil (the default): upstreams are not checked.
    public var healthCheck: HealthCheckSettings?
    /// Over what time an upstream that comes back gets its full share. Up to 1 hour, default 10 s; zero = at once.
    public var slowStart = Duration.seconds(10)
    /// For one attempt. 10 ms to 10 minutes, default 5 s.
    public var connectTimeout = Duration.seconds(5)
    /// How long a connection may carry nothing. 10 ms to 365 days; zero (the default) = for ever.
    public var idleTimeout = Duration.zero
    /// How long one direction may stay open after the other ended, without carrying anything. 10 ms to 365 days;
    /// zero = for ever; default 60 s.
    public var halfCloseTimeout = Duration.seconds(60)
    /// Default: aggregate.
    public var mode = Mode.aggregate
    /// For a preamble (PROXY, SOCKS5, CONNECT, Convert, TLS). 10 ms to 10 minutes, default 5 s.
    public var handshakeTimeout = Duration.seconds(5)
    /// Names and password hashes for `socks5://` and `http://`: an absolute path, or nil (the default).
    public var usersFile: String?
    /// Whether anyone may reach any destination through it. Default: false.
    public var insecureOpenRelay = false
    /// Whether a destination that clients choose is ignored and the upstream dialled instead. Default: false.
    public var ignoreDestination = false
    /// Open connections at once; further clients wait. 0 (the default) = no limit of its own; at most 10 million.
    public var maxConnections = 0
    /// Open connections of one client at once; further ones are refused. 0 (the default) = no limit; at most 10 million.
    public var maxConnectionsPerClient = 0
    /// Client networks that are let in; nil (the default) = all.
    public var allow: [IPNetwork]?
    /// Client networks that are kept out, whatever `allow` says. Default: none.
    public var deny: [IPNetwork] = []
    /// Where a destination chosen by a client may lead; nil (the default): nowhere for `convert://`, anywhere else for the others.
    public var destinations: DestinationSettings?
    /// Whether a connection that fell back to plain TCP is refused. Default: false.
    public var requireMultipath = false
    /// Whether clients begin with a PROXY header. Default: false.
    public var acceptProxy = false
    /// The PROXY header sent upstream; nil (the default) = none.
    public var sendProxy: ProxyVersion?
    /// Networks whose PROXY header is believed. Default: none.
    public var trustedProxies: [IPNetwork] = []
    /// The pre-shared key for `convert://`: an absolute path, or nil (the default).
    public var keyFile: String?
    /// TLS at the listener; nil (the default) = none.
    public var listenTLS: TLSSettings?
    /// TLS to the upstream; nil (the default) = none.
    public var upstreamTLS: TLSSettings?
    /// Nil (the default): no limit.
    public var rateLimit: RateLimitSettings?
    /// `socket` with `socket.listen` over it: for the client's side.
    public var listenSocket = SocketSettings()
    /// `socket` with `socket.upstream` over it: for the upstream's side.
    public var upstreamSocket = SocketSettings()
    /// Where the keys are written; inner tables' keys with dots.
    public var locations: KeyLocations

    init(
        name: String, listen: [Located<ListenAddress>], upstream: [Located<UpstreamAddress>], locations: KeyLocations
    ) {
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.locations = locations
    }
}

/// `health-check`
public struct HealthCheckSettings: Sendable, Equatable {
    /// Between two checks. 100 ms to 1 hour, default 2 s.
    public var interval = Duration.seconds(2)
    /// For one check. 10 ms to 1 hour, default 1 s.
    public var timeout = Duration.seconds(1)
    /// Good checks in a row that make an upstream healthy. 1 to 100, default 2.
    public var rise = 2
    /// Failed checks in a row that make it unhealthy. 1 to 100, default 3.
    public var fall = 3

    init() {}
}

/// `rate-limit`
public struct RateLimitSettings: Sendable, Equatable {
    /// Whose limit it is.
    public enum Scope: String, Sendable, CaseIterable {
        case relay, client
    }

    /// New connections; nil = no limit.
    public var connections: EventRate?
    /// Bits a second, 8 to 10 Tbit; nil = no limit.
    public var bandwidth: Int?
    /// Default: relay.
    public var per = Scope.relay

    init() {}
}

/// `tls.listen` and `tls.upstream`
public struct TLSSettings: Sendable, Equatable {
    /// The own certificate chain, PEM, absolute path.
    public var certificate: String?
    /// The private key of `certificate`.
    public var key: String?
    /// Certificates to verify an upstream by; nil = the system's.
    public var ca: String?
    /// Listener: certificates to verify clients by; then clients without one are refused.
    public var clientCA: String?
    /// Upstream: the name its certificate must have; nil = the upstream's host.
    public var serverName: String?
    /// External pre-shared key.
    public var pskFile: String?
    /// Upstream: whether its certificate is verified. Default: true.
    public var verify = true

    init() {}
}
