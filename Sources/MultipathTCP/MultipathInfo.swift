internal import CLinux
internal import LinuxSystem
public import SystemPackage

/// What the kernel knows about one multipath connection as a whole: `MPTCP_INFO`, in plain numbers and nothing allocated.
///
/// A field that is `nil` is one that this kernel is too old to tell.
public struct MultipathInfo: Sendable, Hashable {
    /// Subflows besides the first.
    public let additionalSubflows: Int
    /// All subflows, the first too as long as it lives; Linux 6.7.
    public let totalSubflows: Int?
    /// How many subflows besides the first this side may have, by the limits of its path manager.
    public let additionalSubflowsLimit: Int
    /// Addresses that this side announced to the peer.
    public let announcedAddresses: Int
    /// Addresses announced by the peer that were accepted.
    public let acceptedAddresses: Int
    /// How many announced addresses this side accepts at most.
    public let acceptedAddressesLimit: Int
    /// Local addresses in use besides the first; Linux 5.15.
    public let localAddressesUsed: Int?
    /// The peer's key came, so that more subflows can join.
    public let hasRemoteKey: Bool
    /// The connection fell back to TCP.
    public let hasFallenBack: Bool
    /// DSS checksums are in use; Linux 5.15.
    public let usesChecksums: Bool?
    /// This side's token, by which path-manager events name the connection.
    public let token: UInt32
    /// Bytes of data sent, without retransmissions on other subflows; Linux 6.5.
    public let bytesSent: UInt64?
    /// Bytes of data received; Linux 6.5.
    public let bytesReceived: UInt64?
    /// Bytes of data that the peer acknowledged; Linux 6.5.
    public let bytesAcknowledged: UInt64?
    /// Bytes sent once more on another subflow; Linux 6.5.
    public let bytesRetransmitted: UInt64?
    /// How often data was sent once more on another subflow; Linux 6.5.
    public let retransmits: UInt32?
    /// Milliseconds since data was last sent; Linux 6.10.
    public let lastDataSentMilliseconds: UInt32?
    /// Milliseconds since data last came; Linux 6.10.
    public let lastDataReceivedMilliseconds: UInt32?
    /// Milliseconds since an acknowledgement last came; Linux 6.10.
    public let lastAcknowledgementMilliseconds: UInt32?

    /// How many subflows the connection has, the first included.
    public var subflowCount: Int { totalSubflows ?? additionalSubflows + 1 }

    /// Asks the kernel. The corresponding option is `MPTCP_INFO`.
    ///
    /// - Throws: `Errno.protocolNotAvailable` or `.notSupportedOnSocket` when the socket is not multipath, or not any more.
    public static func of(_ raw: CInt) throws(Errno) -> MultipathInfo {
        var info = linux_mptcp_info()
        let length = try check(unsafe linux_mptcp_info(raw, &info))
        return MultipathInfo(info, length: Int(length))
    }

    /// From the kernel's structure, of which it filled `length` bytes; the rest must be zero.
    init(_ info: linux_mptcp_info, length: Int) {
        func known<Value>(_ value: Value, _ field: PartialKeyPath<linux_mptcp_info>) -> Value? {
            guard let offset = MemoryLayout<linux_mptcp_info>.offset(of: field) else { return nil }
            return offset + MemoryLayout<Value>.size <= length ? value : nil
        }
        additionalSubflows = Int(info.subflows)
        totalSubflows = known(info.subflows_total, \.subflows_total).map { Int($0) }
        additionalSubflowsLimit = Int(info.subflows_max)
        announcedAddresses = Int(info.add_addr_signal)
        acceptedAddresses = Int(info.add_addr_accepted)
        acceptedAddressesLimit = Int(info.add_addr_accepted_max)
        localAddressesUsed = known(info.local_addr_used, \.local_addr_used).map { Int($0) }
        hasRemoteKey = info.flags & UInt32(LINUX_MPTCP_FLAG_REMOTE_KEY_RECEIVED) != 0
        hasFallenBack = info.flags & UInt32(LINUX_MPTCP_FLAG_FALLBACK) != 0
        usesChecksums = known(info.csum_enabled, \.csum_enabled).map { $0 != 0 }
        token = info.token
        bytesSent = known(info.bytes_sent, \.bytes_sent)
        bytesReceived = known(info.bytes_received, \.bytes_received)
        bytesAcknowledged = known(info.bytes_acked, \.bytes_acked)
        bytesRetransmitted = known(info.bytes_retrans, \.bytes_retrans)
        retransmits = known(info.retransmits, \.retransmits)
        lastDataSentMilliseconds = known(info.last_data_sent, \.last_data_sent)
        lastDataReceivedMilliseconds = known(info.last_data_recv, \.last_data_recv)
        lastAcknowledgementMilliseconds = known(info.last_ack_recv, \.last_ack_recv)
    }
}
