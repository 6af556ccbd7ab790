internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
package import Paths

/// What people and other parts of the daemon ask of the links.
extension PathSupervisor {
    /// The links as they are.
    mutating func snapshot() -> PathsSnapshot {
        var limits: PathLimits?
        do throws(PathManagerError) {
            var manager = try PathManager()
            limits = try manager.limits()
        } catch {
            logger.debug("the path manager's limits cannot be read: \(error)")
        }
        let kept = kernel?.keeper.kept ?? []
        return PathsSnapshot(
            isManaged: kernel != nil, subflowLimit: limits?.subflows, announcedLimit: limits?.acceptedAnnouncements,
            links: links.map { link in
                link.snapshot(
                    endpoints: kept.filter { link.has($0.address) }.map(\.id).sorted())
            })
    }

    /// Changes a link's use until the daemon ends.
    ///
    /// - Returns: false when there is no such link.
    @discardableResult
    mutating func change(_ name: String, _ request: LinkRequest, _ loops: borrowing LoopThreads) -> Bool {
        guard let index = links.firstIndex(where: { $0.name == name }) else { return false }
        update(index, loops) { link in
            switch request {
            case .backup(let isBackup): link.requestedBackup = isBackup
            case .down: link.isSwitchedOff = true
            case .up:
                link.isSwitchedOff = false
                link.stall = nil
            }
        }
        return true
    }

    /// Makes a link backup because it does more harm than good, or no longer; `braid link` outweighs it.
    ///
    /// - Parameter reason: for people: `it slows the rest`; `nil` ends it.
    /// - Returns: false when there is no such link.
    mutating func demote(_ name: String, because reason: String?, _ loops: borrowing LoopThreads) -> Bool {
        guard let index = links.firstIndex(where: { $0.name == name }) else { return false }
        update(index, loops) { $0.demotion = reason }
        return true
    }

    /// Switches a link off because its volume is used up, or on again.
    ///
    /// - Returns: false when there is no such link.
    mutating func setOverLimit(_ name: String, _ isOver: Bool, _ loops: borrowing LoopThreads) -> Bool {
        guard let index = links.firstIndex(where: { $0.name == name }) else { return false }
        update(index, loops) { $0.isOverLimit = isOver }
        return true
    }

    private mutating func update(
        _ index: Int, _ loops: borrowing LoopThreads, _ change: (inout SupervisedLink) -> Void
    ) {
        let before = links[index]
        change(&links[index])
        PathNotices(logger: logger).write(from: before, to: links[index])
        apply(loops)
        listen()
    }
}

extension Supervisor {
    /// The links and what is done with them. Main thread.
    package mutating func pathsSnapshot() -> PathsSnapshot { paths.snapshot() }

    /// Carries out `braid link NAME …`. Main thread.
    ///
    /// - Returns: false when there is no such link.
    package mutating func changeLink(_ name: String, _ request: LinkRequest) -> Bool {
        let found = paths.change(name, request, loops)
        service.show(statusLine)
        return found
    }

    /// Makes a link backup because of how it behaves, or no longer (`nil`). Main thread.
    ///
    /// - Returns: false when there is no such link.
    package mutating func demoteLink(_ name: String, because reason: String?) -> Bool {
        let found = paths.demote(name, because: reason, loops)
        service.show(statusLine)
        return found
    }
}
