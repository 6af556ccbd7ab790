internal import LinuxSystem
internal import Paths

/// What people ask of links while the daemon runs; it lasts until the daemon ends.
extension PathSupervisor {
    /// Changes a link's role, and makes dials and endpoints follow.
    ///
    /// - Returns: false when there is no link of that name.
    @discardableResult
    mutating func change(_ name: String, _ request: LinkRequest, _ loops: borrowing LoopThreads) -> Bool {
        guard let index = links.firstIndex(where: { $0.name == name }) else { return false }
        let before = links[index]
        switch request {
        case .backup(let backup):
            // What the configuration says needs no request.
            links[index].requestedBackup = nil
            if links[index].isBackup != backup { links[index].requestedBackup = backup }
        case .down: links[index].isSwitchedOff = true
        case .up: links[index].isSwitchedOff = false
        }
        PathNotices(logger: logger).write(from: before, to: links[index])
        apply(loops)
        return true
    }
}
