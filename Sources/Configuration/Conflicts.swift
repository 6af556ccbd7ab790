/// What each part of a configuration allows, and their combination does not.
extension Settings {
    /// - Parameters:
    ///   - completeRelays: of each relay, whether all of it could be read: only then do its keys say anything about one another.
    ///   - isWhole: false when parts of the file could not be read, so that absence proves nothing.
    func conflicts(amongRelays completeRelays: [Bool], isWhole: Bool) -> [Diagnostic] {
        var diagnostics = repeatedNames() + repeatedListeners() + paths.conflicts()
        guard isWhole else { return diagnostics }
        for (relay, isComplete) in zip(relays, completeRelays) where isComplete { diagnostics += relay.conflicts() }
        return diagnostics
    }

    private func repeatedNames() -> [Diagnostic] {
        var first: [String: RelaySettings] = [:]
        var diagnostics: [Diagnostic] = []
        for relay in relays {
            if let other = first[relay.name] {
                let what =
                    relay.locations.isSet("name")
                    ? "'name' is \"\(relay.name)\"" : "the relay is named \"\(relay.name)\" by its position"
                diagnostics.append(
                    Diagnostic(
                        at: relay.locations["name"], "\(what), as is the relay at \(other.locations["name"])",
                        "give it another name"))
            } else {
                first[relay.name] = relay
            }
        }
        return diagnostics
    }

    private func repeatedListeners() -> [Diagnostic] {
        var first: [String: SourceLocation] = [:]
        var diagnostics: [Diagnostic] = []
        func claim(_ place: String, _ what: String, at location: SourceLocation) {
            if let other = first[place] {
                diagnostics.append(
                    Diagnostic(
                        at: location, "\(what), which \(other) listens on already", "use another address or port"))
            } else {
                first[place] = location
            }
        }
        for listen in relays.flatMap(\.listen) {
            // Whatever is spoken there, a port can be taken once; port 0 is another one each time.
            if listen.value.hostPort?.port == 0 { continue }
            let place = listen.value.hostPort?.description ?? listen.value.description
            claim(place, "'listen' has \"\(listen.value)\"", at: listen.location)
        }
        if let http = admin.http, http.port != 0 {
            claim(http.description, "'http' is \"\(http)\"", at: admin.locations["http"])
        }
        if let socket = admin.socket {
            claim("unix://\(socket)", "'socket' is \"\(socket)\"", at: admin.locations["socket"])
        }
        return diagnostics
    }
}

extension PathSettings {
    fileprivate func conflicts() -> [Diagnostic] {
        var diagnostics: [Diagnostic] = []
        for (index, link) in links.enumerated() {
            let before = links[..<index]
            if let other = before.first(where: { $0.target == link.target }) {
                diagnostics.append(
                    Diagnostic(
                        at: link.locations["interface", "address"], "the link at \(other.locations.table) is the same",
                        "remove one of the two"))
            } else if let other = before.first(where: { $0.name == link.name }) {
                diagnostics.append(
                    Diagnostic(
                        at: link.locations["name", "interface", "address"],
                        "the link is named \"\(link.name)\", as is the one at \(other.locations.table)",
                        "give it another name"))
            }
            if link.fullMesh, link.announce {
                diagnostics.append(
                    Diagnostic(
                        at: link.locations["fullmesh"],
                        "'fullmesh' is for links that subflows are opened from, and this one is announced",
                        "remove it, or write announce = false"))
            }
            if link.port != 0, !link.announce {
                diagnostics.append(
                    Diagnostic(
                        at: link.locations["port"], "'port' is for announcing, and the link is not announced",
                        "add announce = true, or remove port"))
            }
        }
        return diagnostics
    }
}
