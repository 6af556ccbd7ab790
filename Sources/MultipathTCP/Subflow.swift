internal import CLinux
public import LinuxSystem
public import SystemPackage

/// One subflow of a multipath connection, or the one TCP connection of a socket that is not multipath.
public struct Subflow: Sendable, Hashable {
    /// The kernel's number for it, which no later subflow of the connection gets; `nil` before Linux 6.5 and on plain TCP.
    public let id: UInt32?
    /// This side's address.
    public let local: SocketAddress
    /// The peer's address.
    public let remote: SocketAddress
    /// What TCP counts on it.
    public let tcp: TCPStatistics

    /// Every subflow of a connection, allocating an array; `SubflowReader` does it again and again without.
    ///
    /// On a connection that is not multipath, or not any more: the one TCP connection there is.
    ///
    /// - Throws: `Errno` when the socket is not connected, or is not TCP.
    public static func all(of raw: CInt) throws(Errno) -> [Subflow] {
        var reader = SubflowReader()
        let count = try reader.read(raw)
        return (0..<count).map { reader[$0] }
    }

    init(_ subflow: borrowing linux_subflow) {
        id = subflow.id == 0 ? nil : subflow.id
        local = SocketAddress(subflow.local)
        remote = SocketAddress(subflow.remote)
        tcp = TCPStatistics(subflow.tcp)
    }
}
