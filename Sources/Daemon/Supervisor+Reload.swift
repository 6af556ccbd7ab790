internal import BasicContainers
internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// Taking a new configuration while everything runs.
///
/// It is read and checked, and all that it newly asks for is opened, before anything changes; then every loop gets the
/// difference as one batch of commands, between two clients. Open connections keep the settings that they began with.
extension Supervisor {
    /// Reads the configuration again and takes it over: for SIGHUP and `POST /v1/reload`.
    public mutating func reload() -> ReloadOutcome {
        // First thing: systemd's Type=notify-reload waits from here for READY.
        service.send(.reloading)
        let began = MonotonicTime.now()
        let outcome = draining ? .refused(["the daemon is stopping"]) : takeNewConfiguration(began)
        publishReload(outcome)
        service.send(.ready, .status(statusLine))
        return outcome
    }

    private mutating func takeNewConfiguration(_ began: MonotonicTime) -> ReloadOutcome {
        do throws(ConfigurationError) {
            let new = try Settings.load(path: file, environment: ThisProcess.environment)
            do throws(StartError) {
                return try take(new, began)
            } catch {
                logger.event(
                    .reloadFailed, "reload: \(error.message); everything runs on as it was",
                    metadata: [
                        "config": "\(file)", "line": .stringConvertible(error.location?.line ?? 0),
                        "problem": "\(error.message)",
                    ])
                return .refused([error.description])
            }
        } catch {
            for diagnostic in error.diagnostics {
                logger.event(
                    .configurationInvalid, "\(diagnostic)",
                    metadata: [
                        "config": "\(diagnostic.location.file)",
                        "line": .stringConvertible(diagnostic.location.line),
                        "column": .stringConvertible(diagnostic.location.column), "problem": "\(diagnostic.message)",
                    ])
            }
            logger.event(
                .reloadFailed,
                "reload: \(Self.counted(error.diagnostics.count, "error")) in \(file); everything runs on as it was",
                metadata: [
                    "config": "\(file)", "line": .stringConvertible(error.diagnostics.first?.location.line ?? 0),
                    "problem": "\(error.diagnostics.first?.message ?? "")",
                ])
            return .refused(error.diagnostics.map(\.description))
        }
    }

    // MARK: The exchange

    private mutating func take(_ new: Settings, _ began: MonotonicTime) throws(StartError) -> ReloadOutcome {
        try UpstreamCheck.run(new, logger: logger)
        try checkDashboard(new)
        let credentials = try RelayCredentials(new.relays)
        var opened = try openMissing(new)
        self.credentials = credentials
        addOwn(opened)
        // From here on nothing can fail.
        let former = settings
        let needsRestart = Self.needsRestart(from: former, to: new)
        var changes = ReloadChanges()
        let ids = exchangeRelays(new, former, &changes)
        exchangeListeners(new, ids, &opened, &changes)
        for id in roster.setCurrent(ids, loops: loops.shared.count) {
            let heir = roster[id].flatMap { roster.id(named: $0.name) }
            if heir == nil { changes.removed += 1 }
            changes.commands.append(.retireRelay(id, heir: heir))
            upstreams.remove(relay: id)
        }
        sendBatches(&changes)
        settings = new
        setOwn(new)
        for id in users.relays where roster[id] == nil { users.set(nil, relay: id) }
        log.relays = roster
        log.isOn = new.daemon.logConnections
        destination.level = DaemonLogging.level(new.daemon)
        gate.setLimit(Self.connectionLimit(new, descriptors: descriptorLimit, loops: loops.shared.count))
        loops.send(.resumeAccepting)
        upstreams.askForAll()
        publishRelays()
        let took = MonotonicTime.now().since(began)
        logger.event(
            .configurationReloaded, "\(changes.sentence(file, needsRestart))",
            level: needsRestart.isEmpty ? .notice : .warning,
            metadata: [
                "config": "\(file)", "relays": .stringConvertible(new.relays.count),
                "added": .stringConvertible(changes.added), "changed": .stringConvertible(changes.changed),
                "removed": .stringConvertible(changes.removed),
                "needs-restart": "\(needsRestart.joined(separator: " "))",
                "took-usec": .stringConvertible(took / 1000),
            ])
        return .reloaded(needsRestart: needsRestart)
    }

    /// The dashboard's server is made at the start only.
    private func checkDashboard(_ new: Settings) throws(StartError) {
        guard admin.dashboard == nil else { return }
        for relay in new.relays {
            guard let upstream = relay.upstream.first(where: { $0.value == .dashboard }) else { continue }
            throw StartError(
                at: upstream.location,
                "dashboard:// needs a restart: the running daemon began without any admin interface")
        }
    }

    /// Opens what the new configuration listens on and the running one does not.
    private mutating func openMissing(_ new: Settings) throws(StartError) -> UniqueArray<OpenListener> {
        var opener = ListenerOpener(inherited: .none, logger: logger, firstID: nextListener)
        do throws(StartError) {
            for (position, relay) in new.relays.enumerated() {
                for listen in relay.listen where !isOpen(listen.value) {
                    try opener.open(listen, relay, relay: position)
                }
            }
        } catch {
            opener.removeFiles(logger)
            throw error
        }
        nextListener = opener.nextID
        return opener.finish()
    }

    private func isOpen(_ address: ListenAddress) -> Bool {
        for index in 0..<listeners.count where listeners[index].configured == address { return true }
        return false
    }

    /// Makes the relays of the new configuration known; one that has not changed stays the very one.
    ///
    /// - Returns: their ids.
    private mutating func exchangeRelays(
        _ new: Settings, _ former: Settings, _ changes: inout ReloadChanges
    ) -> [Int] {
        var ids: [Int] = []
        for relay in new.relays {
            let old = roster.id(named: relay.name)
            if let old, roster[old] == relay, !relay.readsFiles, new.paths.raceDelay == former.paths.raceDelay {
                ids.append(old)
                continue
            }
            if old == nil { changes.added += 1 } else { changes.changed += 1 }
            let id = roster.add(relay, inPlaceOf: old)
            ids.append(id)
            changes.commands.append(.addRelay(plan(relay, id: id, new, inPlaceOf: old)))
        }
        return ids
    }

    private mutating func exchangeListeners(
        _ new: Settings, _ ids: [Int], _ opened: inout UniqueArray<OpenListener>, _ changes: inout ReloadChanges
    ) {
        var owners: [ListenAddress: Int] = [:]
        for (position, relay) in new.relays.enumerated() {
            for listen in relay.listen { owners[listen.value] = position }
        }
        var kept = UniqueArray<OpenListener>()
        var left = UniqueArray<OpenListener>()
        while let listener = listeners.popLast() {
            if owners[listener.configured] != nil { kept.append(listener) } else { left.append(listener) }
        }
        for index in 0..<kept.count {
            guard let position = owners[kept[index].configured] else { continue }
            let id = ids[position]
            guard kept[index].relay != id else { continue }
            kept[index].move(to: id)
            ListenerOpener.reapply(new.relays[position], to: kept[index].socket, logger)
            changes.commands.append(.moveListener(id: kept[index].id, relay: id))
        }
        while var listener = opened.popLast() {
            listener.move(to: ids[listener.relay], only: true)
            changes.opened.append(listener.id)
            logger.info("\(new.relays[ids.firstIndex(of: listener.relay) ?? 0].name) listens on \(listener.address)")
            DescriptorKeeping.keep(listener, logger)
            kept.append(listener)
        }
        while let listener = left.popLast() { retire(listener, &changes) }
        listeners = kept
    }

    /// Nobody new comes in here; an MPTCP listener stays open until the last connection has ended that came by it.
    private mutating func retire(_ listener: consuming OpenListener, _ changes: inout ReloadChanges) {
        logger.info("no longer listening on \(listener.address)")
        changes.commands.append(.removeListener(id: listener.id))
        DescriptorKeeping.forget(listener, logger)
        removeFile(of: listener)
        if listener.isMultipath { retired.add(listener, poller, logger) }
    }

    /// Tells every loop all of it at once.
    private mutating func sendBatches(_ changes: inout ReloadChanges) {
        // Relays first, then the listeners that lead to them, then those that go.
        let first = changes.commands.filter { if case .addRelay = $0 { true } else { false } }
        let then = changes.commands.filter { if case .addRelay = $0 { false } else { true } }
        for loop in loops.shared {
            var batch = first
            for index in 0..<listeners.count where changes.opened.contains(listeners[index].id) {
                do throws(Errno) {
                    batch.append(try loops.addition(of: listeners[index]))
                } catch {
                    logger.event(
                        .listenerFailed, "\(listeners[index].address): a loop cannot have it: \(error)",
                        metadata: ["listen": "\(listeners[index].address)", "reason": "\(error)"])
                }
            }
            loop.send(batch + then)
        }
    }

    /// A loop has no connection of a retired relay left.
    mutating func relayEmptied(_ id: Int) {
        guard roster.emptied(id) else { return }
        log.relays = roster
        retired.close(usedBy: id, stillUsed: roster, poller)
        publishRelays()
    }

    /// What a reload cannot change.
    private static func needsRestart(from old: Settings, to new: Settings) -> [String] {
        var sections: [String] = []
        if old.daemon.threads != new.daemon.threads { sections.append("daemon.threads") }
        if old.daemon.logFormat != new.daemon.logFormat { sections.append("daemon.log-format") }
        if old.admin != new.admin { sections.append("admin") }
        var paths = old.paths
        paths.raceDelay = new.paths.raceDelay
        if paths != new.paths { sections.append("paths") }
        return sections
    }
}

extension RelaySettings {
    /// Its files may say something else although its settings are the same.
    fileprivate var readsFiles: Bool {
        keyFile != nil || usersFile != nil || listenTLS != nil || upstreamTLS != nil
    }
}
