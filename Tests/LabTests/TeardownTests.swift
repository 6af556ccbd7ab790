import Glibc
import Lab
import Testing

/// The processes in a host's network namespace.
func processes(in host: Host) throws -> [pid_t] {
    processes(inNamespace: try host.inNamespace { () throws(LabError) in namespaceName("thread-self") })
}

/// As `/proc/PROCESS/ns/net` names it: `net:[4026531833]`.
func namespaceName(_ process: String) -> String {
    linkTarget("/proc/\(process)/ns/net")
}

func linkTarget(_ path: String) -> String {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = buffer.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? -1
    }
    return length < 0 ? "" : String(decoding: buffer[..<length], as: UTF8.self)
}

func entries(of directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { names.append(String(cString: $0)) }
        }
    }
    return names.filter { !$0.hasPrefix(".") }
}

func processes(inNamespace name: String) -> [pid_t] {
    entries(of: "/proc").compactMap { pid_t($0) }.filter { !name.isEmpty && namespaceName("\($0)") == name }
}

extension LabSuite {
    /// Nothing is left.
    @Suite(.serialized) struct TeardownTests {
        @Test func processesEndWithTheLab() async throws {
            var name = ""
            let lab = try Lab()
            do {
                let host = try lab.host("host")
                name = try host.inNamespace { () throws(LabError) in namespaceName("thread-self") }
                // One in its group, one that left it, and their parent.
                let process = try host.spawn(
                    "sh", "-c", "sleep 1000 & setsid sleep 1000 & echo started; wait")
                try await process.line(containing: "started")
                while processes(inNamespace: name).count < 3 { try await Task.sleep(for: .milliseconds(2)) }
            }
            lab.close()
            #expect(processes(inNamespace: name).isEmpty)
            #expect(throws: LabError.self) { try lab.host("late") }
            lab.close()
        }

        @Test func nothingIsLeftOpen() async throws {
            // In a process of its own, for nobody else to open or close anything meanwhile.
            await #expect(processExitsWith: .success) {
                func once() throws {
                    try Lab.with { lab in
                        let near = try lab.host("near")
                        let far = try lab.host("far")
                        let link = try lab.link(near, far, name: "link", delay: .milliseconds(1))
                        try near.spawn("sleep", "1000")
                        try near.run("true")
                        link.blackhole(true)
                    }
                }
                // The first also starts what stays: the thread that spawns, and the guardian.
                try once()
                // A process's reading thread closes its pipes on its own, soon after.
                func settled(_ count: () -> Int, _ wanted: Int) -> Bool {
                    for _ in 0..<2000 {
                        if count() <= wanted { return true }
                        usleep(1000)
                    }
                    return false
                }
                let descriptors = { entries(of: "/proc/self/fd").count }
                let threads = { entries(of: "/proc/self/task").count }
                guard
                    settled(
                        {
                            entries(of: "/proc/self/fd").filter { linkTarget("/proc/self/fd/\($0)").hasPrefix("net:") }
                                .count
                        }, 0)
                else { exit(1) }
                let before = (descriptors(), threads())
                for _ in 0..<5 { try once() }
                guard settled(descriptors, before.0) else { exit(2) }
                guard settled(threads, before.1) else { exit(3) }
            }
        }

        @Test func aForgottenLabEndsByItself() async throws {
            func forget() throws -> String {
                let lab = try Lab()
                let host = try lab.host("host")
                try host.spawn("sleep", "1000")
                return try host.inNamespace { () throws(LabError) in namespaceName("thread-self") }
            }
            let name = try forget()
            #expect(processes(inNamespace: name).isEmpty)
        }

        @Test func everythingEndsWithThisProcess() async throws {
            let directory = "/tmp/braid-lab-test-\(getpid())"
            #expect(mkdir(directory, 0o700) == 0)
            defer {
                for name in entries(of: directory) { unlink("\(directory)/\(name)") }
                rmdir(directory)
            }
            await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
                let lab = try Lab()
                let host = try lab.host("host")
                _ = try lab.link(host, try lab.host("other"), name: "link")
                let process = try host.spawn(
                    "sh", "-c", "readlink /proc/self/ns/net > \(directory)/name; sleep 1000 & echo started; wait")
                try await process.line(containing: "started")
                kill(getpid(), SIGKILL)
                withExtendedLifetime(lab) {}
            }
            let file = try #require(fopen("\(directory)/name", "r"))
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 100)
            #expect(fgets(&line, 100, file) != nil)
            let name = String(decoding: line.prefix { $0 != 10 && $0 != 0 }.map { UInt8($0) }, as: UTF8.self)
            #expect(name.hasPrefix("net:"))
            // The guardian needs a moment.
            let deadline = ContinuousClock.now + .seconds(5)
            while !processes(inNamespace: name).isEmpty, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(5))
            }
            #expect(processes(inNamespace: name).isEmpty)
        }
    }
}
