import TOML

/// Reads `[paths]`.
struct PathDecoder {
    mutating func decode(_ table: inout TableReader) -> PathSettings {
        var paths = PathSettings(locations: KeyLocations(table: SourceLocation(table.location)))
        paths.manage = table.boolean("manage", default: paths.manage)
        paths.maxSubflows = table.integer("max-subflows", in: 0...8, default: paths.maxSubflows)
        paths.maxAnnounced = table.integer("max-announced", in: 0...8, default: paths.maxAnnounced)
        let exclude = table.list("exclude") { node throws(TOMLBadValue) in
            try InterfaceName.parse(try node.string("an interface's name, or a pattern such as \"docker*\""))
        }
        paths.exclude = exclude?.map(\.value) ?? paths.exclude
        paths.routing = table.boolean("routing", default: paths.routing)
        paths.raceDelay = table.duration(
            "race-delay", in: .milliseconds(10)...(.seconds(60)), default: paths.raceDelay)
        paths.stallTimeout = table.automatic("stall-timeout", automatic: .automatic) { node throws(TOMLBadValue) in
            .fixed(try DurationText.read(node, .init(range: .milliseconds(10)...(.seconds(60)))))
        }
        paths.guardsLinks = table.boolean("guard", default: paths.guardsLinks)
        for var link in table.tables("link", name: "[[paths.link]]") {
            if let link = decodeLink(&link) { paths.links.append(link) }
        }
        paths.locations.add(table)
        table.finish()
        return paths
    }

    private func decodeLink(_ table: inout TableReader) -> LinkSettings? {
        let name = table.name("name")
        let interface = table.value("interface") { node throws(TOMLBadValue) in
            try InterfaceName.parse(try node.string("an interface's name in \"quotes\""))
        }
        let address = table.value("address") { node throws(TOMLBadValue) in
            let text = try node.string("an address such as \"203.0.113.9\"")
            guard let address = IPAddress(text), !address.isUnspecified else {
                throw TOMLBadValue("is \"\(text)\", which is no address", "write one such as \"203.0.113.9\"")
            }
            return address
        }
        let target = interface.map(LinkSettings.Target.interface) ?? address.map(LinkSettings.Target.address)
        var link = LinkSettings(
            name: name ?? interface ?? address?.description ?? "", target: target ?? .interface("*"),
            locations: KeyLocations(table: SourceLocation(table.location)))
        link.backup = table.boolean("backup", default: link.backup)
        link.priority = table.integer("priority", in: 0...1000, default: link.priority)
        link.maxRTT = table.duration(
            "max-rtt", in: .milliseconds(1)...(.seconds(60)), orZero: true, default: link.maxRTT)
        link.maxLoss =
            table.value("max-loss") { node throws(TOMLBadValue) in try node.number(in: 0...1) } ?? link.maxLoss
        link.monthlyLimit =
            table.value("monthly-limit") { node throws(TOMLBadValue) in
                try SizeText.read(node, in: 1_000_000...1_000_000_000_000_000, orZero: true)
            } ?? link.monthlyLimit
        link.overLimit = table.word("over-limit", default: link.overLimit)
        link.fullMesh = table.boolean("fullmesh", default: link.fullMesh)
        link.announce = table.boolean("announce", default: link.announce)
        link.port = UInt16(table.integer("port", in: 0...65535, default: 0))
        link.locations.add(table)
        checkTarget(table, name: name, interface: interface, address: address)
        table.finish()
        return target == nil ? nil : link
    }

    private func checkTarget(_ table: TableReader, name: String?, interface: String?, address: IPAddress?) {
        if table.locations["address"] == nil {
            table.require("interface", example: "\"NAME\" (or address = \"ADDRESS\")")
        } else if let location = table.locations["interface"] {
            table.problems.report(
                at: location, "[[paths.link]] has both 'interface' and 'address'", "write one table for each")
        }
        if interface == "*", name != nil, let location = table.locations["name"] {
            table.problems.report(
                at: location, "'name' would name every interface of '*' alike",
                "remove it; each link is then named after its interface")
        }
    }
}
