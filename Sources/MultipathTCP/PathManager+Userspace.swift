public import LinuxSystem

/// Commands for single connections, which the kernel takes only where a userspace path manager is chosen
/// (`net.mptcp.pm_type` or `net.mptcp.path_manager`, fixed for each socket when it is made). A connection is named by its token
/// (`MultipathInfo.token`, or an event's).
extension PathManager {
    /// Whether the kernel has these commands at all (Linux 5.19).
    public var hasUserspaceCommands: Bool { has(.createSubflow) && has(.destroySubflow) }

    /// Announces an address to the peer of one connection (ADD_ADDR).
    ///
    /// - Parameters:
    ///   - token: the connection.
    ///   - endpoint: its id must not be 0; `signal` is added to its flags.
    /// - Throws: `PathManagerError.notFound` for an unknown token, `.refused` (a connection of the kernel's path manager),
    ///   `.needsNetAdmin`, `.unsupported`.
    public mutating func announce(_ endpoint: PathEndpoint, token: UInt32) throws(PathManagerError) {
        var endpoint = endpoint
        endpoint.flags.insert(.signal)
        _ = try perform(.announce, notFound: "connection") { request in
            request.add(PathManagerMessages.Attribute.token, token)
            PathManagerMessages.add(endpoint, as: PathManagerMessages.Attribute.endpoint, to: &request)
        }
    }

    /// Withdraws an address from one connection (REMOVE_ADDR); its subflows are closed.
    ///
    /// - Throws: as `announce(_:token:)`.
    public mutating func withdraw(id: UInt8, token: UInt32) throws(PathManagerError) {
        _ = try perform(.withdraw, notFound: "connection or address id \(id)") {
            $0.add(PathManagerMessages.Attribute.token, token)
            $0.add(PathManagerMessages.Attribute.localID, id)
        }
    }

    /// Opens a subflow of one connection.
    ///
    /// - Parameters:
    ///   - local: this side's address, with an id that is not 0 (and not another address's on this connection).
    ///   - remote: the peer's address and port.
    ///   - token: the connection.
    /// - Throws: as `announce(_:token:)`; `.refused` with the error of the connect, for example `.networkUnreachable`.
    public mutating func createSubflow(
        from local: PathEndpoint, to remote: SocketAddress, token: UInt32
    ) throws(PathManagerError) {
        var local = local
        // Userspace path managers of Linux 5.19 to 6.4 take only the id and the address here.
        local.flags = local.flags.intersection([.backup, .fullmesh])
        try subflow(.createSubflow, local, remote, token)
    }

    /// Closes a subflow of one connection.
    ///
    /// - Parameters:
    ///   - local: this side's address and port.
    ///   - remote: the peer's address and port.
    ///   - token: the connection.
    /// - Throws: as `announce(_:token:)`.
    public mutating func destroySubflow(
        from local: SocketAddress, to remote: SocketAddress, token: UInt32
    ) throws(PathManagerError) {
        try subflow(.destroySubflow, PathEndpoint(address: local, flags: []), remote, token)
    }

    /// Makes the subflows between two addresses backup, or no more, on one connection only (MP_PRIO).
    ///
    /// - Throws: as `announce(_:token:)`.
    public mutating func setBackup(
        _ backup: Bool, from local: SocketAddress, to remote: SocketAddress, token: UInt32
    ) throws(PathManagerError) {
        try subflow(.setFlags, PathEndpoint(address: local, flags: backup ? .backup : []), remote, token)
    }

    private mutating func subflow(
        _ command: PathManagerCommand, _ local: PathEndpoint, _ remote: SocketAddress, _ token: UInt32
    ) throws(PathManagerError) {
        _ = try perform(command, notFound: "connection or subflow") { request in
            request.add(PathManagerMessages.Attribute.token, token)
            PathManagerMessages.add(local, as: PathManagerMessages.Attribute.endpoint, to: &request)
            PathManagerMessages.add(
                PathEndpoint(address: remote, flags: []), as: PathManagerMessages.Attribute.remote, to: &request)
        }
    }
}
