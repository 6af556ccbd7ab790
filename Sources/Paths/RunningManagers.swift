internal import FoundationEssentials

/// A program that is known to change MPTCP endpoints and limits, and runs.
public struct RunningManager: Sendable, Hashable {
    /// Its process id.
    public var id: Int
    /// What it is called.
    public var name: String

    /// One of its parts.
    public init(id: Int, name: String) {
        self.id = id
        self.name = name
    }

    private static let names: Set<String> = ["mptcpd", "NetworkManager"]

    /// The units that they run in: a unit with `ProtectProc=invisible`, such as Braid's own, sees no other process, but which
    /// units have processes.
    private static let units = [("mptcp.service", "mptcpd"), ("NetworkManager.service", "NetworkManager")]
    /// Where the system's units have their control groups: version 2, and beside version 1.
    private static let groups = ["sys/fs/cgroup", "sys/fs/cgroup/unified", "sys/fs/cgroup/systemd"]

    /// Those that run in this thread's network namespace, or cannot be asked in which they run.
    public static func all() -> [RunningManager] { all(in: "/") }

    /// - Parameter root: where `proc` and `sys` are.
    static func all(in root: String) -> [RunningManager] {
        let files = FileManager.default
        var found: [RunningManager] = []
        // What cannot be read is not there, or nobody else's business.
        for entry in (try? files.contentsOfDirectory(atPath: "\(root)proc")) ?? [] {
            guard let id = Int(entry), let name = line("\(root)proc/\(id)/comm"), names.contains(name) else { continue }
            // One that has ended and was not waited for yet manages nothing.
            let state = line("\(root)proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " ").first
            if state == nil || state == "Z" || state == "X" { continue }
            if isHere(id, root) { found.append(RunningManager(id: id, name: name)) }
        }
        for (unit, name) in units where !found.contains(where: { $0.name == name }) {
            let ids = groups.compactMap { line("\(root)\($0)/system.slice/\(unit)/cgroup.procs").flatMap { Int($0) } }
            if let id = ids.first, isHere(id, root) { found.append(RunningManager(id: id, name: name)) }
        }
        return found.sorted { $0.id < $1.id }
    }

    /// Whether a process is in this thread's network namespace, or does not say.
    private static func isHere(_ id: Int, _ root: String) -> Bool {
        let files = FileManager.default
        guard let its = try? files.destinationOfSymbolicLink(atPath: "\(root)proc/\(id)/ns/net") else { return true }
        return its == (try? files.destinationOfSymbolicLink(atPath: "\(root)proc/thread-self/ns/net"))
    }

    private static func line(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return String(decoding: data.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
