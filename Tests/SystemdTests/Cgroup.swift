import Foundation
import KernelFiles

/// A control group for one machine: systemd-nspawn needs one of its own for each, or machines would share their units.
struct Cgroup {
    let path: String

    /// Where the unified hierarchy is mounted.
    static let root: String? = {
        let mounts = KernelFile.text("/proc/self/mounts") ?? ""
        for mount in mounts.split(separator: "\n") {
            let fields = mount.split(separator: " ")
            if fields.count > 2, fields[2] == "cgroup2" { return String(fields[1]) }
        }
        return nil
    }()

    /// A new group called `name`.
    init(named name: String) throws {
        path = (Self.root ?? "/sys/fs/cgroup") + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    /// Ends what is left in the group and removes it with all that the machine made below it.
    func remove() {
        try? "1".write(toFile: path + "/cgroup.kill", atomically: false, encoding: .utf8)
        let deadline = ContinuousClock.now + .seconds(10)
        // A killed process leaves its group only when it is reaped, which is not ours to wait for.
        while ContinuousClock.now < deadline {
            Self.removeTree(path)
            if !FileManager.default.fileExists(atPath: path) { return }
            usleep(5_000)
        }
    }

    private static func removeTree(_ path: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            var isDirectory: ObjCBool = false
            let child = path + "/" + name
            if FileManager.default.fileExists(atPath: child, isDirectory: &isDirectory), isDirectory.boolValue {
                removeTree(child)
            }
        }
        rmdir(path)
    }
}
