public import LinuxSystem
internal import SystemPackage

/// The TCP sockets of this thread's network namespace as the kernel's diagnostics see them: lists the subflows of every MPTCP
/// connection, and closes single ones, which the kernel's path manager has no command for. sock_diag(7); `ss -tn`, `ss -K`.
///
/// Owned and used by one thread.
public struct SocketDiagnostics: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    /// Opens it.
    ///
    /// - Throws: `PathManagerError.netlink(.system)`.
    public init() throws(PathManagerError) {
        socket = try PathManager.opened(.socketDiagnostics)
    }

    /// Closes one subflow at once: the peer gets a reset, what it had not acknowledged goes over the others, and the
    /// connection lives on. The corresponding request is `SOCK_DESTROY`. It closes any TCP connection: take care to name a
    /// subflow.
    ///
    /// - Parameters:
    ///   - local: this side's address and port.
    ///   - remote: the peer's.
    ///   - interface: the interface that the socket is bound to (that of its endpoint), 0 for any, which takes a look at the
    ///     list of sockets when it is bound to one.
    /// - Throws: `PathManagerError.notFound` when there is no such subflow (any more), `.needsNetAdmin`, `.unsupported` on a
    ///   kernel without `CONFIG_INET_DIAG_DESTROY`.
    public mutating func close(
        local: SocketAddress, remote: SocketAddress, interface: UInt32 = 0
    ) throws(PathManagerError) {
        let (local, remote) = (local.unmapped, remote.unmapped)
        do throws(NetlinkError) {
            do throws(NetlinkError) {
                try destroy(local, remote, interface)
            } catch {
                // A socket that is bound to an interface is found only under its number.
                guard case .refused(.noSuchFileOrDirectory, _) = error, interface == 0, local.port != 0,
                    let bound = try boundInterface(local, remote)
                else { throw error }
                try destroy(local, remote, bound)
            }
        } catch {
            guard case .refused(let errno, let explanation) = error else { throw .netlink(error) }
            switch errno {
            case .noSuchFileOrDirectory: throw .notFound("subflow \(local) to \(remote)")
            case .notPermitted: throw .needsNetAdmin("closing a subflow")
            case .notSupportedOnSocket, .notSupported: throw .unsupported("way to close a subflow (INET_DIAG_DESTROY)")
            default: throw .netlink(.refused(errno, explanation: explanation))
            }
        }
    }

    private mutating func destroy(
        _ local: SocketAddress, _ remote: SocketAddress, _ interface: UInt32
    ) throws(NetlinkError) {
        let header = SocketDiagnosticsMessages.request(
            states: .max, local: local, remote: remote, interface: interface)
        try socket.exchange(NetlinkRequest(type: SocketDiagnosticsMessages.destroy, header: header))
    }

    /// The interface that a socket is bound to; `nil` when there is no such socket, or it is bound to none.
    private mutating func boundInterface(
        _ local: SocketAddress, _ remote: SocketAddress
    ) throws(NetlinkError) -> UInt32? {
        let header = SocketDiagnosticsMessages.request(states: .max, local: local, remote: remote, interface: 0)
        let answers = try socket.exchange(
            NetlinkRequest(type: SocketDiagnosticsMessages.byFamily, flags: .dump, header: header))
        for answer in answers where answer.type == SocketDiagnosticsMessages.byFamily {
            do throws(NetlinkSyntaxError) {
                let found = try SocketDiagnosticsMessages.identity(answer.payload.span)
                // The kernel looks at the ports only.
                if found.local == local, found.remote == remote, found.interface != 0 { return found.interface }
            } catch {
                throw .syntax(error)
            }
        }
        return nil
    }

    /// Whether the kernel can close subflows, found by asking it to close one that cannot be there. It says nothing about
    /// this process's rights.
    ///
    /// - Throws: `PathManagerError.netlink`.
    public mutating func canClose() throws(PathManagerError) -> Bool {
        // Port 0 is no connection's.
        let nobody = SocketAddress.any(.ipv4, port: 0)
        do throws(PathManagerError) {
            try close(local: nobody, remote: nobody)
            return true
        } catch {
            switch error {
            case .notFound, .needsNetAdmin: return true
            case .unsupported: return false
            default: throw error
            }
        }
    }

    /// Every subflow of every MPTCP connection in the namespace, in any state from the first SYN to the last FIN. Some
    /// thousand take some 50 ms.
    ///
    /// The kernel tells which connection a subflow belongs to only to those with `CAP_NET_ADMIN`; without it the answer has
    /// nothing.
    ///
    /// - Throws: `PathManagerError.netlink`.
    public mutating func subflows() throws(PathManagerError) -> [DiagnosedSubflow] {
        var found: [DiagnosedSubflow] = []
        for family in [SocketAddress.Family.ipv4, .ipv6] {
            // SYN_SENT, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING: those with a peer that are not over.
            let states: UInt32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11
            let any = SocketAddress.any(family, port: 0)
            let header = SocketDiagnosticsMessages.request(states: states, local: any, remote: any, interface: 0)
            do throws(NetlinkError) {
                let answers = try socket.exchange(
                    NetlinkRequest(type: SocketDiagnosticsMessages.byFamily, flags: .dump, header: header))
                for answer in answers where answer.type == SocketDiagnosticsMessages.byFamily {
                    if let subflow = try Self.subflow(answer) { found.append(subflow) }
                }
            } catch {
                throw .netlink(error)
            }
        }
        return found
    }

    /// Every MPTCP connection in the namespace that has a peer, from established to the last acknowledgement, those too that
    /// have lost all their subflows.
    ///
    /// - Throws: `PathManagerError.unsupported` without the kernel's `mptcp_diag`, `.netlink`.
    public mutating func connections() throws(PathManagerError) -> [DiagnosedConnection] {
        var found: [DiagnosedConnection] = []
        for family in [SocketAddress.Family.ipv4, .ipv6] {
            // ESTABLISHED, FIN_WAIT1 and 2, CLOSE_WAIT, LAST_ACK, CLOSING.
            let states: UInt32 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11
            do throws(NetlinkError) {
                for answer in try socket.exchange(SocketDiagnosticsMessages.multipathRequest(family, states: states))
                where answer.type == SocketDiagnosticsMessages.byFamily {
                    if let connection = try Self.connection(answer) { found.append(connection) }
                }
            } catch {
                if case .refused(.noSuchFileOrDirectory, _) = error {
                    throw .unsupported("list of MPTCP connections (INET_MPTCP_DIAG)")
                }
                throw .netlink(error)
            }
        }
        return found
    }

    private static func connection(_ message: NetlinkMessage) throws(NetlinkError) -> DiagnosedConnection? {
        do throws(NetlinkSyntaxError) {
            return try SocketDiagnosticsMessages.connection(message.payload.span)
        } catch {
            throw .syntax(error)
        }
    }

    private static func subflow(_ message: NetlinkMessage) throws(NetlinkError) -> DiagnosedSubflow? {
        do throws(NetlinkSyntaxError) {
            return try SocketDiagnosticsMessages.subflow(message.payload.span)
        } catch {
            throw .syntax(error)
        }
    }
}

/// An MPTCP connection as the kernel's socket diagnostics show it.
public struct DiagnosedConnection: Sendable, Hashable {
    /// Its number at this side, as in `DiagnosedSubflow`.
    public var token: UInt32
    /// This side's first address and port.
    public var local: SocketAddress
    /// The peer's.
    public var remote: SocketAddress
    /// Where it is in its life. Only an established connection opens and takes subflows: not one that is half closed.
    public var state: TCPState

    /// A connection of its parts.
    public init(token: UInt32, local: SocketAddress, remote: SocketAddress, state: TCPState) {
        self.token = token
        self.local = local
        self.remote = remote
        self.state = state
    }
}

/// A subflow as the kernel's socket diagnostics show it.
public struct DiagnosedSubflow: Sendable, Hashable {
    /// Its connection's number at this side, as in `PathEvent` and `MultipathInfo`.
    public var token: UInt32
    /// Its connection's number at the peer.
    public var remoteToken: UInt32
    /// The number of this side's address.
    public var localID: UInt8
    /// The number of the peer's address.
    public var remoteID: UInt8
    /// This side's address and port.
    public var local: SocketAddress
    /// The peer's.
    public var remote: SocketAddress
    /// The interface that it is bound to, 0 when to none.
    public var interface: UInt32
    /// What TCP is doing on it.
    public var state: TCPState
    /// `MPTCP_SUBFLOW_FLAG_…`: whether it is backup, joined, connected. include/uapi/linux/mptcp.h.
    public var flags: UInt32

    /// Whether this side, or the peer, wants it used only while no other works.
    public var isBackup: Bool { flags & 0x30 != 0 }
    /// Whether it is fully established.
    public var isEstablished: Bool { flags & 0x40 != 0 }
    /// Whether it is the first subflow of a connection that this host dialled.
    public var isFirstDialled: Bool { flags & 0x02 != 0 && flags & 0x0C == 0 }
    /// Whether this host opened it: it dialled the connection, or joined it.
    public var isOpenedHere: Bool { flags & 0x0A != 0 }
    /// Whether this host joins it to its connection, and the peer has not answered for the last time.
    public var isJoining: Bool { flags & 0x48 == 0x08 }
}
