internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths

/// What people ask of the links.
extension PathSupervisor {
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
