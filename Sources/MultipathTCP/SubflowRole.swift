internal import CLinux
internal import LinuxSystem
public import SystemPackage

/// What a subflow is in its connection: backup or not, and who opened it.
public struct SubflowRole: Sendable, Hashable {
    /// This side asked for it to carry data only while no other subflow can.
    public let isBackupByUs: Bool
    /// The peer asked for that.
    public let isBackupByPeer: Bool
    /// It joined a connection that there was; false for the first subflow.
    public let isAdditional: Bool
    /// The peer has confirmed it.
    public let isFullyEstablished: Bool
    /// The identifier of this side's address, as the path manager's endpoints have it; 0 is the first address.
    public let localID: UInt8
    /// The identifier of the peer's address.
    public let remoteID: UInt8
    /// The number of the interface that the subflow is bound to, as those of endpoints with `dev` are; 0 when it is not.
    public let interface: UInt32

    /// It carries data only while no other subflow can, whoever asked for that.
    public var isBackup: Bool { isBackupByUs || isBackupByPeer }
}

/// Asks the kernel's socket monitor for the roles of subflows, which no socket option tells. sock_diag(7). Needs no privilege.
///
/// Owned and used by one thread, in whose network namespace it was made. A question costs a system call or two, and when the
/// subflow is bound to an interface a walk over the host's addresses: not for every event.
public struct SubflowRoleReader: ~Copyable {
    private let socket: Descriptor

    /// - Throws: `Errno.tooManyOpenFiles` and its like; `.protocolNotSupported` on a kernel without the socket monitor.
    public init() throws(Errno) {
        socket = Descriptor(owning: try check(linux_diag_open()))
    }

    /// The role of a subflow that `Subflow.all(of:)` or a `SubflowReader` listed.
    ///
    /// - Parameters:
    ///   - subflow: the subflow.
    ///   - interface: the interface that it is probably bound to, which saves the walk; 0 when that is not known.
    /// - Returns: `nil` when it is gone meanwhile, is plain TCP, or the kernel does not tell.
    /// - Throws: `Errno` when the kernel cannot be asked.
    public func role(of subflow: Subflow, boundTo interface: UInt32 = 0) throws(Errno) -> SubflowRole? {
        var local = subflow.local.c
        var remote = subflow.remote.c
        var role = linux_subflow_role()
        let answer = unsafe linux_diag_subflow_role(socket.raw, &local, &remote, interface, &role)
        if answer == -Errno.noSuchFileOrDirectory.rawValue { return nil }
        _ = try check(answer)
        let joined = UInt32(LINUX_SUBFLOW_JOINED_BY_US) | UInt32(LINUX_SUBFLOW_JOINED_BY_PEER)
        return SubflowRole(
            isBackupByUs: role.flags & UInt32(LINUX_SUBFLOW_BACKUP_BY_US) != 0,
            isBackupByPeer: role.flags & UInt32(LINUX_SUBFLOW_BACKUP_BY_PEER) != 0,
            isAdditional: role.flags & joined != 0,
            isFullyEstablished: role.flags & UInt32(LINUX_SUBFLOW_FULLY_ESTABLISHED) != 0,
            localID: role.local_id, remoteID: role.remote_id, interface: role.interface)
    }
}
