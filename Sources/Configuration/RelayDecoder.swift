import TOML

/// Reads one `[[relay]]`.
struct RelayDecoder {
    /// Counts from 1; the default name follows from it.
    let position: Int

    init(position: Int) { self.position = position }

    private static let moment = Duration.milliseconds(10)
    private static let minutes = moment...(.seconds(600))
    private static let year = moment...(.seconds(365 * 86400))

    mutating func decode(_ table: inout TableReader) -> RelaySettings {
        let name = table.name("name") ?? "relay\(position)"
        let listen = addresses("listen", &table, example: "\"tcp://127.0.0.1:8080\"") { node throws(TOMLBadValue) in
            try ListenAddress(node)
        }
        let upstream = addresses("upstream", &table, example: "\"mptcp://gateway.example.net:7143\"") {
            node throws(TOMLBadValue) in
            try UpstreamAddress(node)
        }
        var relay = RelaySettings(
            name: name, listen: listen, upstream: upstream,
            locations: KeyLocations(table: SourceLocation(table.location)))
        decodeDialling(&relay, &table)
        decodeAccess(&relay, &table)
        decodeSecurity(&relay, &table)
        relay.rateLimit = table.table("rate-limit").map { decodeRateLimit($0, into: &relay) }
        if let socket = table.table("socket") {
            (relay.listenSocket, relay.upstreamSocket) = SocketDecoder.decode(socket, locations: &relay.locations)
        }
        relay.locations.add(table)
        table.finish()
        return relay
    }

    private func addresses<Address: Sendable & Equatable>(
        _ key: String, _ table: inout TableReader, example: String,
        _ read: (TOMLNode) throws(TOMLBadValue) -> Address
    ) -> [Located<Address>] {
        let before = table.problems.faultCount
        let values = table.list(key, allowSingle: true, read) ?? []
        table.require(key, example: example)
        if values.isEmpty, table.problems.faultCount == before, let location = table.locations[key],
            table.problems.reportsMissing
        {
            table.problems.report(at: location, "'\(key)' is an empty list", "write \(key) = \(example)")
        }
        return values.map { Located($0.value, at: SourceLocation($0.location)) }
    }

    private func decodeDialling(_ relay: inout RelaySettings, _ table: inout TableReader) {
        relay.balance = table.word("balance", default: relay.balance)
        relay.mode = table.word("mode", default: relay.mode)
        relay.connectTimeout = table.duration("connect-timeout", in: Self.minutes, default: relay.connectTimeout)
        relay.idleTimeout = table.duration("idle-timeout", in: Self.year, orZero: true, default: relay.idleTimeout)
        relay.halfCloseTimeout = table.duration(
            "half-close-timeout", in: Self.year, orZero: true, default: relay.halfCloseTimeout)
        relay.handshakeTimeout = table.duration("handshake-timeout", in: Self.minutes, default: relay.handshakeTimeout)
        relay.slowStart = table.duration(
            "slow-start", in: Self.moment...(.seconds(3600)), orZero: true, default: relay.slowStart)
        relay.maxConnections = table.integer("max-connections", in: 0...10_000_000, default: relay.maxConnections)
        relay.maxConnectionsPerClient = table.integer(
            "max-connections-per-client", in: 0...10_000_000, default: relay.maxConnectionsPerClient)
        if var inner = table.table("health-check") {
            var check = HealthCheckSettings()
            let hour = Duration.seconds(3600)
            check.interval = inner.duration("interval", in: .milliseconds(100)...hour, default: check.interval)
            check.timeout = inner.duration("timeout", in: Self.moment...hour, default: check.timeout)
            check.rise = inner.integer("rise", in: 1...100, default: check.rise)
            check.fall = inner.integer("fall", in: 1...100, default: check.fall)
            inner.finish()
            relay.locations.add(inner, prefix: "health-check.")
            relay.healthCheck = check
        }
    }

    private func decodeAccess(_ relay: inout RelaySettings, _ table: inout TableReader) {
        relay.usersFile = table.path("users-file")
        relay.insecureOpenRelay = table.boolean("insecure-open-relay", default: false)
        relay.ignoreDestination = table.boolean("ignore-destination", default: false)
        relay.allow = table.networks("allow")
        relay.deny = table.networks("deny") ?? []
        if var inner = table.table("destinations") {
            var destinations = DestinationSettings()
            let allow = inner.list("allow") { node throws(TOMLBadValue) in try DestinationPattern(node) }
            destinations.allow = allow?.map(\.value)
            let deny = inner.list("deny") { node throws(TOMLBadValue) in try DestinationPattern(node) }
            destinations.deny = deny?.map(\.value) ?? []
            inner.finish()
            relay.locations.add(inner, prefix: "destinations.")
            relay.destinations = destinations
        }
    }

    private func decodeSecurity(_ relay: inout RelaySettings, _ table: inout TableReader) {
        relay.requireMultipath = table.boolean("require-multipath", default: false)
        relay.acceptProxy = table.boolean("accept-proxy", default: false)
        relay.sendProxy = table.value("send-proxy") { node throws(TOMLBadValue) in try node.word() }
        relay.trustedProxies = table.networks("trusted-proxies") ?? []
        relay.keyFile = table.path("key-file")
        guard var tls = table.table("tls") else { return }
        for side in ["listen", "upstream"] {
            guard var inner = tls.table(side, name: "'tls.\(side)'") else { continue }
            let settings = decodeTLS(&inner)
            relay.locations.add(inner, prefix: "tls.\(side).")
            if side == "listen" { relay.listenTLS = settings } else { relay.upstreamTLS = settings }
        }
        tls.finish()
        relay.locations.add(tls, prefix: "tls.")
    }

    private func decodeTLS(_ table: inout TableReader) -> TLSSettings {
        var tls = TLSSettings()
        tls.certificate = table.path("certificate")
        tls.key = table.path("key")
        tls.ca = table.path("ca")
        tls.clientCA = table.path("client-ca")
        tls.serverName = table.value("server-name") { node throws(TOMLBadValue) in
            let text = try node.string("a DNS name in \"quotes\"")
            guard HostName.isValid(text) else {
                throw TOMLBadValue("is \"\(text)\", which is no DNS name", "write the name in the certificate")
            }
            return text
        }
        tls.pskFile = table.path("psk-file")
        tls.verify = table.boolean("verify", default: true)
        table.finish()
        return tls
    }

    private func decodeRateLimit(_ reader: TableReader, into relay: inout RelaySettings) -> RateLimitSettings {
        var table = reader
        var limit = RateLimitSettings()
        limit.connections = table.value("connections") { node throws(TOMLBadValue) in try EventRate.read(node) }
        limit.bandwidth = table.value("bandwidth") { node throws(TOMLBadValue) in
            try BitRateText.read(node, in: 8...10_000_000_000_000)
        }
        limit.per = table.word("per", default: limit.per)
        if table.locations["bandwidth"] == nil {
            table.require("connections", example: "\"100/s\" (or bandwidth = \"50Mbit\")")
        }
        table.finish()
        relay.locations.add(table, prefix: "rate-limit.")
        return limit
    }
}
