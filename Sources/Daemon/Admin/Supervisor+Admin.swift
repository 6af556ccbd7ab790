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
        var relays = settings.relays.enumerated().map { id, relay in
            DaemonView.Relay(
                id: id, name: relay.name, listen: [], upstreams: relay.upstream.map(\.value.description),
                pool: upstreams.views(relay: id))
        }
        for index in 0..<listeners.count { relays[listeners[index].relay].listen.append(listeners[index].address) }
        admin.view.publish { $0.relays = relays }
        upstreamHealth = settings.relays.map { UpstreamHealth(count: $0.upstream.count) }
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
            case .reload(let caller, let answer):
                log(caller, "reload", [:])
                answer(reload())
            }
        }
    }

    // MARK: Links

    /// Makes the links known to the admin server, when they have changed, and tells those who listen what has.
    mutating func publishLinks() {
        let now = paths.links.map { $0.snapshot(endpoints: []) }
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

    /// Takes the configuration anew: the one place where a reload that is asked for over the admin socket begins.
    private mutating func reload() -> ReloadAnswer { .notBuilt }

    // MARK: Events

    func tell(_ opening: ConnectionOpening) {
        guard let server = admin.server, server.wantsFrequentEvents,
            settings.relays.indices.contains(opening.relay)
        else { return }
        server.publish(.opened(opening, settings.relays[opening.relay]))
    }

    mutating func tell(_ record: ConnectionRecord) {
        noteHealth(record)
        guard let server = admin.server, server.wantsFrequentEvents, settings.relays.indices.contains(record.relay)
        else { return }
        server.publish(.closed(record, settings.relays[record.relay]))
    }

    private mutating func noteHealth(_ record: ConnectionRecord) {
        guard upstreamHealth.indices.contains(record.relay) else { return }
        let changed = upstreamHealth[record.relay].note(record, now: .now())
        guard !changed.isEmpty else { return }
        let isHealthy = upstreamHealth[record.relay].isHealthy
        admin.view.publish { $0.relays[record.relay].isHealthy = isHealthy }
        let relay = settings.relays[record.relay]
        for upstream in changed {
            let address = relay.upstream[upstream].value.description
            let isUp = isHealthy[upstream]
            admin.server?.publish(
                AdminEvent(
                    isUp ? .upstreamUp : .upstreamDown,
                    "\(relay.name): \(address) \(isUp ? "works again" : "cannot be reached")",
                    [("relay", .text(relay.name)), ("upstream", .text(address))]))
        }
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
