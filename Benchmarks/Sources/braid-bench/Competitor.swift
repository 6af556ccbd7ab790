import Foundation

/// The addresses of one chain: the load's client, the near proxy, the far proxy, the load's server; all on loopback.
struct Chain {
    let near: Int
    let far: Int
    let server: Int
    /// A directory of its own, for configuration files and logs.
    let directory: URL

    func write(_ name: String, _ text: String) throws -> String {
        let file = directory.appendingPathComponent(name)
        try text.write(to: file, atomically: false, encoding: .utf8)
        return file.path
    }
}

/// Near and far ends of one kind: what is compared.
struct Competitor {
    /// Short, for the command line and the tables.
    let name: String
    /// What it is, with its version.
    let description: String
    /// Whose goals it counts for.
    let role: Role
    /// Commands of the near and the far end; empty when there is no proxy.
    let commands: (Chain) throws -> [[String]]
    /// Descriptors that one of its proxies needs for a connection.
    var descriptors = 2
    /// With no proxy: the protocol between client and server.
    var direct: String?

    /// The sealed ones speak TLS 1.3 between near and far end, and are compared with each other.
    enum Role: String { case braid, shipped, tuned, other, direct, sealedBraid, sealedPeer }
}

/// Runs a program and answers what it prints, or `nil` when it cannot be run.
func output(of words: [String]) -> String? {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("braid-bench-\(getpid()).out")
    defer { try? FileManager.default.removeItem(at: file) }
    guard let child = try? Child(words, cpu: nil, errors: file) else { return nil }
    let deadline = Date().addingTimeInterval(5)
    while !child.hasEnded, Date() < deadline { usleep(5000) }
    child.end()
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
    return text.contains("No such file or directory") ? nil : text
}
