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

    /// Those that run in this thread's network namespace, or cannot be asked in which they run. A unit with
    /// `ProtectProc=invisible` sees none.
    public static func all() -> [RunningManager] {
        let files = FileManager.default
        let own = try? files.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
        var found: [RunningManager] = []
        for entry in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = Int(entry), let name = line("/proc/\(id)/comm"), names.contains(name) else { continue }
            // One that has ended and was not waited for yet manages nothing.
            let state = line("/proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " ").first
            if state == nil || state == "Z" || state == "X" { continue }
            let its = try? files.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/net")
            if let its, its != own { continue }
            found.append(RunningManager(id: id, name: name))
        }
        return found.sorted { $0.id < $1.id }
    }

    private static func line(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return String(decoding: data.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
