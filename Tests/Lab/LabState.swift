import CLab
import Glibc
import Synchronization

/// What a lab owns: the emulator, the namespaces, the processes. The lab, its hosts and its links all hold it, so it
/// ends with the last of them, or by `close()`.
final class LabState: Sendable {
    private struct Contents {
        var hosts: [String: Host.Namespace] = [:]
        var links = 0
        var processes: [HostProcess] = []
        var closed = false
    }

    let seed: UInt64
    let emulator: Emulator
    /// The namespace in which the emulator's ends of the wires are.
    let wires: Host.Namespace
    private let contents = Mutex(Contents())

    init(seed: UInt64) throws(LabError) {
        self.seed = seed
        wires = try Host.Namespace(name: "wires")
        emulator = try Emulator()
    }

    deinit {
        close()
    }

    /// Adds a host.
    func add(_ host: Host.Namespace) throws(LabError) {
        let problem: String? = contents.withLock { contents in
            if contents.closed { return "the lab is closed" }
            if contents.hosts[host.name] != nil { return "there is one already" }
            contents.hosts[host.name] = host
            return nil
        }
        if let problem {
            throw LabError("add host \(host.name)", detail: problem)
        }
    }

    /// The number of a new link, from 1; it is part of the link's addresses.
    func nextLink() throws(LabError) -> Int {
        let number: Int? = contents.withLock { contents in
            guard !contents.closed, contents.links < EmulatorLoop.mostLinks else { return nil }
            contents.links += 1
            return contents.links
        }
        guard let number else {
            throw LabError("add a link", detail: "the lab is closed or has \(EmulatorLoop.mostLinks) links")
        }
        return number
    }

    /// Has a process end with the lab.
    func adopt(_ process: HostProcess) throws(LabError) {
        let adopted = contents.withLock { contents in
            if !contents.closed {
                contents.processes.append(process)
            }
            return !contents.closed
        }
        if !adopted {
            process.terminate()
            throw LabError("start \(process.arguments.joined(separator: " "))", detail: "the lab is closed")
        }
    }

    /// Ends everything. Harmless when done.
    func close() {
        let left: Contents? = contents.withLock { contents in
            guard !contents.closed else { return nil }
            defer {
                contents.closed = true
                contents.processes = []
                contents.hosts = [:]
            }
            return contents
        }
        guard let left else { return }
        for process in left.processes {
            process.terminate()
        }
        for host in left.hosts.values {
            host.killEverybody()
        }
        emulator.stop()
    }
}

extension Host {
    /// A network namespace, held by a descriptor.
    final class Namespace: Sendable {
        let name: String
        let descriptor: Descriptor
        /// Its inode number, by which the system tells namespaces apart.
        let inode: Int64

        init(name: String) throws(LabError) {
            self.name = name
            let number = clab_netns_create()
            guard number >= 0 else {
                throw LabError(
                    "make a network namespace for host \(name)", errno: -number,
                    detail: number == -EPERM ? "the lab needs root, or `unshare -Urn COMMAND`" : "")
            }
            descriptor = Descriptor(owning: number)
            inode = clab_inode(number)
        }

        /// Runs a closure in a thread that is in the namespace, and waits for it.
        @discardableResult
        func enter<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
            var result: Swift.Result<Result, Failure>?
            let entered = withoutActuallyEscaping({ () -> Void in result = capture(body) }) { escaping in
                var visit = escaping
                return withUnsafeMutablePointer(to: &visit) { context in
                    clab_netns_run(
                        descriptor.number,
                        { context in context?.assumingMemoryBound(to: (() -> Void).self).pointee() }, context)
                }
            }
            guard let result else {
                // The descriptor is ours and was entered before: only a lack of threads or memory comes here.
                preconditionFailure("lab: enter host \(name): \(String(cString: strerror(-entered)))")
            }
            return try result.get()
        }

        /// Kills every process in the namespace: all were started by the lab, or by what it started.
        func killEverybody() {
            // New ones may be forked while we look, so until a look finds none.
            for _ in 0..<100 {
                var found = false
                for pid in runningProcesses() where clab_process_in_netns(pid, inode) == 1 && pid != getpid() {
                    found = true
                    _ = clab_kill_in_netns(pid, inode)
                }
                guard found else { return }
                _ = clab_poll(nil, 0, 1_000_000)
            }
        }
    }
}

private func capture<Value, Failure: Error>(_ body: () throws(Failure) -> Value) -> Result<Value, Failure> {
    do throws(Failure) {
        return .success(try body())
    } catch {
        return .failure(error)
    }
}

private func runningProcesses() -> [pid_t] {
    guard let directory = opendir("/proc") else { return [] }
    defer { closedir(directory) }
    var result: [pid_t] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
            name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if let pid = pid_t(name) {
            result.append(pid)
        }
    }
    return result
}
