public import LinuxSystem
public import SystemPackage

/// Something that happened to a multipath connection of this network namespace. include/uapi/linux/mptcp_pm.h.
public enum PathEvent: Sendable, Hashable {
    /// A connection was made; its first subflow's addresses. Subflows can join only after `established`.
    case created(Connection)
    /// A connection is fully established: more subflows can join.
    case established(Connection)
    /// A connection ended, or fell back to TCP.
    case closed(token: UInt32)
    /// The peer announced an address; its port is 0 when it announced none.
    case announced(token: UInt32, remoteID: UInt8, address: SocketAddress)
    /// The peer withdrew an address.
    case removed(token: UInt32, remoteID: UInt8)
    /// A subflow joined.
    case subflowEstablished(Subflow)
    /// A subflow ended; `Subflow.error` says why, when there was an error.
    case subflowClosed(Subflow)
    /// A subflow became backup, or no more.
    case subflowPriority(Subflow)
    /// An MPTCP socket listens: a program's, or the path manager's own on an announced address's port.
    case listenerCreated(SocketAddress)
    /// It no longer does.
    case listenerClosed(SocketAddress)
    /// An event that came after Linux 6.18: its number.
    case unknown(UInt8)

    /// A connection in an event.
    public struct Connection: Sendable, Hashable {
        /// Its number in this namespace, `MultipathInfo.token`.
        public var token: UInt32
        /// This side's address of the first subflow.
        public var local: SocketAddress
        /// The peer's.
        public var remote: SocketAddress
        /// Whether it was accepted here; `nil` before Linux 5.19.
        public var isAccepted: Bool?
        /// Whether the peer forbids further subflows to its first address.
        public var peerDeniesJoinToInitialAddress: Bool

        /// A connection of its parts.
        public init(
            token: UInt32, local: SocketAddress, remote: SocketAddress, isAccepted: Bool? = nil,
            peerDeniesJoinToInitialAddress: Bool = false
        ) {
            self.token = token
            self.local = local
            self.remote = remote
            self.isAccepted = isAccepted
            self.peerDeniesJoinToInitialAddress = peerDeniesJoinToInitialAddress
        }
    }

    /// A subflow in an event.
    public struct Subflow: Sendable, Hashable {
        /// Its connection's number.
        public var token: UInt32
        /// The number of this side's address: 0 is the connection's first, others are endpoints' ids.
        public var localID: UInt8
        /// The number of the peer's address.
        public var remoteID: UInt8
        /// This side's address and port.
        public var local: SocketAddress
        /// The peer's.
        public var remote: SocketAddress
        /// Whether it carries data only while no other does.
        public var isBackup: Bool
        /// The interface that it is bound to, 0 when to none.
        public var interface: UInt32
        /// The socket's error, when it ended with one.
        public var error: Errno?
        /// Why the peer reset it (RFC 8684, section 3.6), when it said.
        public var resetReason: UInt32?

        /// A subflow of its parts.
        public init(
            token: UInt32, localID: UInt8 = 0, remoteID: UInt8 = 0, local: SocketAddress, remote: SocketAddress,
            isBackup: Bool = false, interface: UInt32 = 0, error: Errno? = nil, resetReason: UInt32? = nil
        ) {
            self.token = token
            self.localID = localID
            self.remoteID = remoteID
            self.local = local
            self.remote = remote
            self.isBackup = isBackup
            self.interface = interface
            self.error = error
            self.resetReason = resetReason
        }
    }

    /// The connection that it happened to; `nil` for listeners.
    public var token: UInt32? {
        switch self {
        case .created(let connection), .established(let connection): connection.token
        case .closed(let token), .announced(let token, _, _), .removed(let token, _): token
        case .subflowEstablished(let subflow), .subflowClosed(let subflow), .subflowPriority(let subflow): subflow.token
        case .listenerCreated, .listenerClosed, .unknown: nil
        }
    }
}
