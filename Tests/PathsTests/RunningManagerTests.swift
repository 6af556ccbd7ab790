import Foundation
import Testing

@testable import Paths

/// Who else may change endpoints, in a tree of files like the kernel's.
@Suite("Other managers") final class RunningManagerTests {
    private let root = FileManager.default.temporaryDirectory.path + "/managers-\(UUID().uuidString)/"

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private func write(_ text: String, _ path: String) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func process(_ id: Int, _ name: String, state: String = "S", network: String = "net:[1]") throws {
        try write(name + "\n", "proc/\(id)/comm")
        try write("\(id) (\(name)) \(state) 1\n", "proc/\(id)/stat")
        try link(network, "proc/\(id)/ns/net")
    }

    private func link(_ target: String, _ path: String) throws {
        let url = URL(fileURLWithPath: root + path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: target)
    }

    @Test("processes of this network namespace, by their names")
    func processes() throws {
        try link("net:[1]", "proc/thread-self/ns/net")
        try process(20, "mptcpd")
        try process(10, "NetworkManager")
        try process(30, "mptcpd", network: "net:[2]")
        try process(40, "mptcpd", state: "Z")
        try process(50, "bash")
        #expect(
            RunningManager.all(in: root) == [
                RunningManager(id: 10, name: "NetworkManager"), RunningManager(id: 20, name: "mptcpd"),
            ])
    }

    @Test("where processes are hidden, units that have processes", arguments: ["", "unified/", "systemd/"])
    func units(hierarchy: String) throws {
        try link("net:[1]", "proc/thread-self/ns/net")
        #expect(RunningManager.all(in: root).isEmpty)
        let slice = "sys/fs/cgroup/\(hierarchy)system.slice/"
        try write("", slice + "mptcp.service/cgroup.procs")
        try write("700\n701\n", slice + "NetworkManager.service/cgroup.procs")
        #expect(RunningManager.all(in: root) == [RunningManager(id: 700, name: "NetworkManager")])
        // One that is seen is not told twice, and one in another network namespace is not told.
        try process(700, "NetworkManager")
        #expect(RunningManager.all(in: root).count == 1)
        try write("800\n", slice + "mptcp.service/cgroup.procs")
        try link("net:[2]", "proc/800/ns/net")
        #expect(RunningManager.all(in: root).map(\.id) == [700])
    }
}
