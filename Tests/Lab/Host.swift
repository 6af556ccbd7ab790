import CLab
import Glibc

/// A host of the lab: a network namespace, and the processes in it. Made by `Lab.host`.
public final class Host: Sendable, CustomStringConvertible {
    let namespace: Namespace
    let state: LabState

    init(namespace: Namespace, state: LabState) {
        self.namespace = namespace
        self.state = state
    }

    /// What the host is called.
    public var name: String { namespace.name }
    /// Its name.
    public var description: String { name }

    /// A descriptor of its network namespace, for setns(2); it stays the lab's.
    public var namespaceDescriptor: Int32 { namespace.descriptor.number }

    /// The path by which another process can enter it (`nsenter --net=PATH`), as long as this process lives.
    public var namespacePath: String { "/proc/\(getpid())/fd/\(namespaceDescriptor)" }

    /// Runs a closure in a thread of its own that is in the host, and waits for it. Sockets made there belong to the
    /// host and may be used anywhere; `/proc/sys/net` and `/proc/thread-self/net` are the host's.
    ///
    /// - Parameter body: What to do; it blocks the caller as long as it takes.
    @discardableResult
    public func inNamespace<Result, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try namespace.enter(body)
    }

    /// Whether this is the same host.
    func isSame(as other: Host) -> Bool { namespace === other.namespace }

    // MARK: Kernel settings

    /// Sets a kernel setting of the host.
    ///
    /// - Parameters:
    ///   - name: Its name, as for sysctl(8): `net.mptcp.enabled`.
    ///   - value: What to write.
    /// - Throws: ENOENT when there is no such setting, or it does not belong to a network namespace.
    public func sysctl(_ name: String, _ value: String) throws(LabError) {
        try namespace.writeSysctl(name, value)
    }

    /// Reads a kernel setting of the host.
    ///
    /// - Parameter name: Its name, as for sysctl(8).
    /// - Returns: Its value without the line's end.
    public func sysctl(_ name: String) throws(LabError) -> String {
        let text = try read(Namespace.sysctlPath(name))
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    /// Reads a file as a thread in the host sees it, for example `/proc/thread-self/net/netstat`.
    ///
    /// - Parameter path: The file.
    public func read(_ path: String) throws(LabError) -> String {
        try inNamespace { () throws(LabError) -> String in
            let file = Descriptor(owning: try checked(clab_open(path, O_RDONLY), "\(name): read \(path)"))
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 16384)
            while true {
                let got = try checked(
                    CInt(clamping: clab_read(file.number, &buffer, buffer.count)), "\(name): read \(path)")
                if got == 0 {
                    return String(decoding: bytes, as: UTF8.self)
                }
                bytes.append(contentsOf: buffer[..<Int(got)])
            }
        }
    }

    /// A counter of the host from `/proc/net/netstat` or `/proc/net/snmp`.
    ///
    /// - Parameters:
    ///   - group: The line's first word, for example `MPTcpExt`, `TcpExt` or `Tcp`.
    ///   - counter: For example `MPJoinSynRx`.
    /// - Returns: Its value; 0 when the kernel has no such counter.
    public func counter(_ group: String, _ counter: String) throws(LabError) -> Int {
        for file in ["netstat", "snmp"] {
            let lines = try read("/proc/thread-self/net/\(file)").split(separator: "\n")
                .filter { $0.hasPrefix("\(group): ") }
            guard lines.count == 2 else { continue }
            let names = lines[0].split(separator: " ")
            let values = lines[1].split(separator: " ")
            if let index = names.firstIndex(where: { $0 == counter }), index < values.count {
                return Int(values[index]) ?? 0
            }
        }
        return 0
    }
}

extension Host.Namespace {
    static func sysctlPath(_ name: String) -> String {
        // As sysctl(8) has it: where the first separator is a slash, dots are part of names (`net/ipv4/conf/eth0.1`).
        let separator = name.first { $0 == "." || $0 == "/" }
        return "/proc/sys/" + (separator == "." ? String(name.map { $0 == "." ? "/" : $0 }) : name)
    }

    func writeSysctl(_ name: String, _ value: String) throws(LabError) {
        try enter { () throws(LabError) in
            let path = Self.sysctlPath(name)
            let file = Descriptor(
                owning: try checked(clab_open(path, O_WRONLY), "\(self.name): set \(name) to \(value)"))
            let bytes = Array(value.utf8)
            try checked(
                CInt(clamping: clab_write(file.number, bytes, bytes.count)), "\(self.name): set \(name) to \(value)")
        }
    }
}
