internal import FoundationEssentials
internal import MultipathTCP

/// Programs that are known to change endpoints and limits.
enum RunningManagers {
    private static let names: Set<String> = ["mptcpd", "NetworkManager"]

    /// Those that run in this thread's network namespace, or cannot be asked in which they run.
    static func read() -> [HostState.RunningProcess] {
        let files = FileManager.default
        let own = try? files.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
        var found: [HostState.RunningProcess] = []
        for entry in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = Int(entry), let name = SystemFile.line("/proc/\(id)/comm"), names.contains(name) else {
                continue
            }
            // One that has ended and was not waited for yet manages nothing.
            let state = SystemFile.line("/proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " ").first
            if state == nil || state == "Z" || state == "X" { continue }
            let its = try? files.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/net")
            if let its, its != own { continue }
            found.append(HostState.RunningProcess(id: id, name: name))
        }
        return found.sorted { $0.id < $1.id }
    }
}
