internal import Admin
internal import BasicContainers
internal import Configuration
internal import Logging
internal import ServiceManager

/// What the main thread does for the admin interface.
extension Supervisor {
    /// Makes what does not change known to the admin server.
    mutating func publishRelays() {
        var relays = settings.relays.enumerated().map { id, relay in
            DaemonView.Relay(
                id: id, name: relay.name, listen: [], upstreams: relay.upstream.map(\.value.description),
                isHealthy: relay.upstream.map { _ in true })
        }
        for index in 0..<listeners.count { relays[listeners[index].relay].listen.append(listeners[index].address) }
        admin.view.publish { $0.relays = relays }
    }

    /// Answers what waits.
    mutating func takeAdminRequests() {
        for request in admin.mailbox.take() {
            switch request {
            case .ping(let answer): admin.ping(loops, answer)
            case .paths(let answer): answer(paths())
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

    private func paths() -> PathsView {
        var view = PathsView()
        view.managed = settings.paths.manage
        view.links = admin.view.links
        KernelPaths.read(into: &view)
        return view
    }

    private mutating func changeLink(_ name: String, _ change: LinkChange, _ caller: AdminCaller) -> LinkAnswer {
        .unknown(names: admin.view.links.map(\.name))
    }

    /// Takes the configuration anew: the one place where a reload that is asked for over the admin socket begins.
    private mutating func reload() -> ReloadAnswer { .notBuilt }

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
