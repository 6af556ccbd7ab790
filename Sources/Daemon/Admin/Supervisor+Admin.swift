internal import Admin
internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import Paths
internal import ServiceManager

/// What the main thread does for the admin interface.
extension Supervisor {
    /// Makes what does not change known to the admin server.
    mutating func publishRelays() {
        var relays = roster.current.compactMap { view(relay: $0) }
        for index in 0..<listeners.count {
            let owner = listeners[index].relay
            guard let position = relays.firstIndex(where: { $0.id == owner }) else { continue }
            relays[position].listen.append(listeners[index].address)
        }
        let past = roster.past.compactMap { view(relay: $0) }
        admin.view.publish {
            $0.relays = relays
            $0.pastRelays = past
        }
    }

    private func view(relay id: Int) -> DaemonView.Relay? {
        guard let relay = roster[id] else { return nil }
        return DaemonView.Relay(
            id: id, counters: roster.counters(of: id), name: relay.name, listen: [],
            upstreams: relay.upstream.map(\.value.description), pool: upstreams.views(relay: id))
    }

    /// Answers what waits.
    mutating func takeAdminRequests() {
        for request in admin.mailbox.take() {
            switch request {
            case .ping(let answer): admin.ping(loops, answer)
            case .paths(let answer): answer(pathsView())
            case .list(let slice): admin.list(loops, slice)
            case .close(let connection, let caller, let answer):
                log(caller, "close", ["connection": .stringConvertible(connection)])
                admin.close(connection, loops, answer)
            case .link(let name, let change, let caller, let answer):
                answer(changeLink(name, change, caller))
            case .upstream(let relay, let change, let caller, let answer):
                log(
                    caller, change.draining ? "drain" : "undrain",
                    ["relay": "\(relay)", "upstream": "\(change.address)"])
                answer(changeUpstream(relay, change))
            case .reload(let caller, let answer):
                log(caller, "reload", [:])
                answer(answerReload())
            }
        }
    }

    // MARK: Links

    /// Makes the links known to the admin server, when they have changed, and tells those who listen what has.
    mutating func publishLinks() {
        let now = paths.links.map(\.snapshot)
        guard now != publishedLinks else { return }
        for event in LinkChanges.events(from: publishedLinks, to: now) { admin.server?.publish(event) }
        countFailovers(from: publishedLinks, to: now)
        publishedLinks = now
        admin.view.publish { $0.links = now }
    }

    private func pathsView() -> PathsView {
        var view = PathsView()
        view.managed = paths.kernel != nil
        view.links = admin.view.links(admin.view.latest)
        KernelPaths.read(into: &view)
        return view
    }

    private mutating func changeLink(_ name: String, _ change: LinkRoleChange, _ caller: AdminCaller) -> LinkAnswer {
        let names = paths.links.map(\.name)
        guard names.contains(name) else { return .unknown(names: names) }
        var fields: Logger.Metadata = ["link": "\(name)"]
        if let backup = change.backup { fields["backup"] = "\(backup ? "yes" : "no")" }
        if let up = change.up { fields["up"] = "\(up ? "yes" : "no")" }
        log(caller, "link", fields)
        if let backup = change.backup { paths.change(name, .backup(backup), loops) }
        if let up = change.up { paths.change(name, up ? .up : .down, loops) }
        publishLinks()
        service.show(statusLine)
        guard let view = pathsView().links.first(where: { $0.name == name }) else { return .unknown(names: names) }
        return .changed(view)
    }

    // MARK: Reload

    /// A reload that is asked for over the admin socket.
    private mutating func answerReload() -> ReloadAnswer {
        switch reload() {
        case .reloaded: .reloaded
        case .refused(let errors): .invalid(errors)
        }
    }

    /// Counts a reload, and tells those who listen.
    mutating func publishReload(_ outcome: ReloadOutcome) {
        let isGood = if case .reloaded = outcome { true } else { false }
        admin.view.publish {
            if isGood { $0.reloads.good += 1 } else { $0.reloads.failed += 1 }
        }
        admin.server?.publish(
            AdminEvent(
                .reload, isGood ? "the configuration was reloaded" : "the configuration could not be reloaded",
                [("good", .flag(isGood))]))
    }

    // MARK: Events

    func tell(_ opening: ConnectionOpening) {
        guard let server = admin.server, server.wantsFrequentEvents, let relay = roster[opening.relay] else { return }
        server.publish(.opened(opening, relay))
    }

    func tell(_ record: ConnectionRecord) {
        guard let server = admin.server, server.wantsFrequentEvents, let relay = roster[record.relay] else { return }
        server.publish(.closed(record, relay))
    }

    /// A subflow acknowledges nothing, while another of its connection works.
    mutating func tell(_ stall: SubflowStall) {
        let local = stall.local.unmapped.with(port: 0)
        guard let link = publishedLinks.first(where: { $0.addresses.contains { $0.isSameHost(as: local) } }) else {
            return
        }
        admin.view.publish { $0.failovers[link.name, default: 0] += 1 }
        admin.server?.publish(
            AdminEvent(
                .subflowStalled,
                "\(link.name): a subflow of connection \(stall.connection) acknowledges nothing, and is left",
                [
                    ("link", .text(link.name)), ("connection", .number(stall.connection)),
                    ("local", .text(stall.local.description)), ("remote", .text(stall.remote.description)),
                    ("silence_seconds", .seconds(stall.silence)),
                ]))
    }

    /// A link that carried subflows can no longer be used: they are left.
    func countFailovers(from before: [LinkSnapshot], to now: [LinkSnapshot]) {
        for link in before where link.state == .up {
            guard now.first(where: { $0.id == link.id })?.state != .up else { continue }
            let left = loops.shared.reduce(UInt64(0)) { $0 &+ $1.counters.read(link: link.id).subflows }
            if left > 0 { admin.view.publish { $0.failovers[link.name, default: 0] += left } }
        }
    }

    // MARK: The log

    private func log(_ caller: AdminCaller, _ action: String, _ fields: Logger.Metadata) {
        var metadata = fields
        metadata["action"] = "\(action)"
        metadata["uid"] = .stringConvertible(caller.uid)
        metadata["pid"] = .stringConvertible(caller.pid)
        let what = fields.map { "\($0.key) \($0.value)" }.joined(separator: " ")
        logger.event(
            .adminChange, "user \(caller.uid) (process \(caller.pid)): \(action)\(what.isEmpty ? "" : " \(what)")",
            metadata: metadata)
    }
}
