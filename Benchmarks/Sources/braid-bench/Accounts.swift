import Foundation

/// What the kernel says about time and memory. proc(5).
enum Accounts {
    static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            text += buffer.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Seconds of processor time that the process has used, all its threads.
    ///
    /// From `schedstat`, in nanoseconds; interrupts' work done in its name is in it.
    static func processorTime(of process: Int32) -> Double {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return tasks.reduce(0) { sum, task in
            let fields = read("/proc/\(process)/task/\(task)/schedstat").split(separator: " ")
            return sum + (fields.first.flatMap { Double($0) } ?? 0) / 1e9
        }
    }

    /// Seconds of processor time that the whole machine has used, everything that is not idle.
    static func machineTime() -> Double {
        guard let line = read("/proc/stat").split(separator: "\n").first else { return 0 }
        let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard fields.count >= 8 else { return 0 }
        // user nice system idle iowait irq softirq steal
        let busy = fields[0] + fields[1] + fields[2] + fields[5] + fields[6]
        return busy / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// The memory of a process, in bytes: its proportional share of pages, and its page tables.
    static func memory(of process: Int32) -> Double {
        let pages = field("Pss:", in: read("/proc/\(process)/smaps_rollup"))
        return (pages + field("VmPTE:", in: read("/proc/\(process)/status"))) * 1024
    }

    /// The kernel's memory for sockets, descriptors and what belongs to them, in bytes: slab that cannot be reclaimed, and
    /// sockets' inodes where they can be counted (as root). Not the whole slab: files that others open are in it.
    static func kernelMemory() -> Double {
        field("SUnreclaim:", in: read("/proc/meminfo")) * 1024 + socketInodes()
    }

    private static func socketInodes() -> Double {
        for line in read("/proc/slabinfo").split(separator: "\n") where line.hasPrefix("sock_inode_cache ") {
            let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
            if fields.count >= 3 { return fields[0] * fields[2] }
        }
        return 0
    }

    /// What the machine could still give to processes, in bytes.
    static func availableMemory() -> Double {
        field("MemAvailable:", in: read("/proc/meminfo")) * 1024
    }

    private static func field(_ name: String, in lines: String) -> Double {
        for line in lines.split(separator: "\n") where line.hasPrefix(name) {
            return line.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        }
        return 0
    }

    /// Connections that this namespace has accepted as really multipath.
    static func multipathAccepted() -> Int {
        counter("MPCapableACKRX")
    }

    private static func counter(_ name: String) -> Int {
        let lines = read("/proc/self/net/netstat").split(separator: "\n")
        for (names, values) in zip(lines, lines.dropFirst()) where names.hasPrefix("MPTcpExt:") {
            let names = names.split(separator: " ")
            let values = values.split(separator: " ")
            if let index = names.firstIndex(where: { $0 == name }), index < values.count {
                return Int(values[index]) ?? 0
            }
        }
        return 0
    }

    /// Whether something listens at the port.
    static func isListening(_ port: Int) -> Bool {
        let suffix = String(format: ":%04X", port)
        return ["/proc/self/net/tcp", "/proc/self/net/tcp6"].contains { path in
            read(path).split(separator: "\n").contains { line in
                let fields = line.split(separator: " ")
                return fields.count > 3 && fields[1].hasSuffix(suffix) && fields[3] == "0A"
            }
        }
    }
}
