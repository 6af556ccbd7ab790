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
        // On bytes: there are hundreds of counters, and splitting text into characters takes ten times as long.
        var values: [String: UInt64] = [:]
        var names: [ArraySlice<UInt8>] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard let group = words.first, group.last == UInt8(ascii: ":") else {
                names = []
                continue
            }
            guard let heading = names.first, heading == group, names.count == words.count else {
                names = words
                continue
            }
            for index in words.indices.dropFirst() {
                if let value = Self.number(words[index]) {
                    values[String(decoding: group.dropLast() + names[index], as: UTF8.self)] = value
                }
            }
            names = []
        }
        self.values = values
    }

    /// A decimal number that fits; the kernel writes nothing else for the counters that we know.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = tenfold.addingReportingOverflow(UInt64(digit - 0x30))
            if isTooLarge || overflows { return nil }
            value = sum
        }
        return digits.isEmpty ? nil : value
    }
}
