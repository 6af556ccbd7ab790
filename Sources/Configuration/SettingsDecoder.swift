import TOML

/// Makes settings of a merged configuration tree.
struct SettingsDecoder {
    let problems: TOMLProblems
    /// Of each relay, whether all of it could be read: only then do its keys say anything about one another.
    private(set) var completeRelays: [Bool] = []

    init(problems: TOMLProblems) { self.problems = problems }

    mutating func decode(_ root: TOMLTable, file: String) -> Settings {
        var settings = Settings(file: file)
        var top = TableReader(
            root, name: "", at: TOMLLocation(source: file, line: 1, column: 1), problems: problems)
        // Taken by the file reader.
        _ = top.node("include")
        if var table = top.table("daemon", name: "[daemon]") { settings.daemon = daemon(&table) }
        if var table = top.table("limits", name: "[limits]") {
            settings.limits = LimitSettings(locations: KeyLocations(table: SourceLocation(table.location)))
            settings.limits.connections = table.integer("connections", in: 0...10_000_000, default: 0)
            settings.limits.locations.add(table)
            table.finish()
        }
        if var table = top.table("admin", name: "[admin]") { settings.admin = admin(&table) }
        if var table = top.table("paths", name: "[paths]") {
            var decoder = PathDecoder()
            settings.paths = decoder.decode(&table)
        }
        for var table in top.tables("relay", name: "[[relay]]") {
            let before = problems.faultCount
            var decoder = RelayDecoder(position: completeRelays.count + 1)
            settings.relays.append(decoder.decode(&table))
            completeRelays.append(problems.faultCount == before)
        }
        top.finish()
        return settings
    }

    private func daemon(_ table: inout TableReader) -> DaemonSettings {
        var daemon = DaemonSettings(locations: KeyLocations(table: SourceLocation(table.location)))
        daemon.threads = table.automatic("threads", automatic: .automatic) { node throws(TOMLBadValue) in
            if case .string = node.value {
                throw TOMLBadValue("is text, not a number", "write \"auto\", or a number from 1 to 1024 without quotes")
            }
            return .fixed(try node.integer(in: 1...1024))
        }
        daemon.drainTimeout = table.duration(
            "drain-timeout", in: .milliseconds(1)...(.seconds(7 * 86400)), orZero: true, default: daemon.drainTimeout)
        daemon.takeoverTimeout = table.duration(
            "takeover-timeout", in: .milliseconds(1)...(.seconds(7 * 86400)), orZero: true,
            default: daemon.takeoverTimeout)
        daemon.logLevel = table.word("log-level", default: daemon.logLevel)
        daemon.logFormat = table.word("log-format", default: daemon.logFormat)
        daemon.logConnections = table.boolean("log-connections", default: true)
        daemon.locations.add(table)
        table.finish()
        return daemon
    }

    private func admin(_ table: inout TableReader) -> AdminSettings {
        var admin = AdminSettings(locations: KeyLocations(table: SourceLocation(table.location)))
        admin.socket = table.value("socket") { node throws(TOMLBadValue) in
            try PathText.socket(try node.string("an absolute path in \"quotes\""))
        }
        admin.http = table.value("http") { node throws(TOMLBadValue) in
            let text = try node.string("an address such as \"127.0.0.1:9180\"")
            return try HostPort(parsing: Substring(text), in: text, for: .listen)
        }
        admin.hosts =
            table.list("hosts") { node throws(TOMLBadValue) in
                let name = try node.string("a host name such as \"gateway.example.net\"")
                guard HostName.isValid(name[...]) else {
                    throw TOMLBadValue(
                        "has \"\(name)\", which is no host name", "write a name such as \"gateway.example.net\"")
                }
                return name
            }?.map(\.value) ?? []
        admin.locations.add(table)
        table.finish()
        return admin
    }
}
