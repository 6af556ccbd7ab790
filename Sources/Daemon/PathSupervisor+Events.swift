internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// What happens to subflows.
extension PathSupervisor {
    /// Events wait.
    mutating func receiveEvents(_ loops: borrowing LoopThreads) {
        while true {
            do throws(NetlinkError) {
                guard let events = try kernel?.events.receive(), !events.isEmpty else { return }
            } catch {
                switch error {
                case .overrun, .syntax: continue
                default: return
                }
            }
        }
    }

    /// When `meetDeadline` is to be called; `never` while all is well.
    var deadline: MonotonicTime { .never }

    mutating func meetDeadline(_ now: MonotonicTime, _ loops: borrowing LoopThreads) {}
}
