internal import CLinux
internal import LinuxSystem
public import SystemPackage

/// The kernel's counters of TCP and MPTCP for this thread's network namespace, by the names that `nstat` shows
/// (`MPTcpExtMPCapableSYNTX`, `TcpExtIPReversePathFilter`): evidence for why something is not multipath.
public struct KernelCounters: Sendable, Hashable {
    /// Every counter by its name.
    public let values: [String: UInt64]

    /// The counter; `nil` when this kernel has none of that name.
    public subscript(name: String) -> UInt64? { values[name] }

    /// How much the counter grew since `earlier`; 0 when this kernel does not have it.
    public func growth(of name: String, since earlier: KernelCounters) -> UInt64 {
        let (now, before) = (values[name] ?? 0, earlier.values[name] ?? 0)
        return now > before ? now - before : 0
    }

    /// Reads `/proc/thread-self/net/netstat`, proc(5).
    ///
    /// - Throws: `Errno` when there is no `/proc`.
    public static func read() throws(Errno) -> KernelCounters {
        KernelCounters(parsing: try FileContents.read("/proc/thread-self/net/netstat"))
    }

    /// From the file's text: pairs of lines `Group: name name …` and `Group: number number …`. A pair that does not match, and
    /// a number that is none, are left out.
    public init(parsing text: [UInt8]) {
        var values: [String: UInt64] = [:]
        var names: [Substring] = []
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let group = words.first, group.last == ":" else {
                names = []
                continue
            }
            guard names.first == group, names.count == words.count else {
                names = words
                continue
            }
            for index in words.indices.dropFirst() {
                if let value = UInt64(words[index]) { values[String(group.dropLast()) + names[index]] = value }
            }
            names = []
        }
        self.values = values
    }
}
