import FoundationEssentials
import KernelFiles
import Lab

/// What Braids and the kernel take for their connections at one moment.
struct Resources: CustomStringConvertible {
    /// Of each process.
    var descriptors: [Int] = []
    var residentKiB: [Int] = []
    /// Of each process's host: all sockets that the kernel has there, also those of no process any more.
    var tcpSockets: [Int] = []
    var mptcpSockets: [Int] = []
    /// Of the whole machine: TCP and MPTCP sockets in the kernel's memory, freed ones that it still holds included.
    /// `nil` where only root may know.
    var slabObjects: Int?

    init(of braids: [LoadedBraid]) throws {
        for braid in braids {
            descriptors.append(try braid.openDescriptors())
            residentKiB.append(try braid.residentKiB())
            let protocols = try braid.host.read("/proc/thread-self/net/protocols")
            tcpSockets.append(Self.sum(protocols, of: ["TCP", "TCPv6"], column: 2))
            mptcpSockets.append(Self.sum(protocols, of: ["MPTCP", "MPTCPv6"], column: 2))
        }
        slabObjects = KernelFile.text("/proc/slabinfo").map {
            Self.sum($0, of: ["TCP", "TCPv6", "MPTCP", "MPTCPv6"], column: 1)
        }
    }

    private static func sum(_ table: String, of names: Set<Substring>, column: Int) -> Int {
        table.split(separator: "\n").map { $0.split(separator: " ") }.filter { names.contains($0[0]) }
            .reduce(0) { $0 + (Int($1[column]) ?? 0) }
    }

    /// Whether what is counted exactly is the same.
    func hasSameSockets(as other: Resources) -> Bool {
        descriptors == other.descriptors && tcpSockets == other.tcpSockets && mptcpSockets == other.mptcpSockets
    }

    var description: String {
        "descriptors \(descriptors), resident \(residentKiB) KiB, TCP sockets \(tcpSockets), MPTCP sockets "
            + "\(mptcpSockets), slab objects \(slabObjects.map(String.init) ?? "unknown")"
    }
}
