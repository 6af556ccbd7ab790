package import LinuxSystem

/// What the messages of sock_diag(7) look like. include/uapi/linux/inet_diag.h.
package enum SocketDiagnosticsMessages {
    /// `SOCK_DIAG_BY_FAMILY`.
    static let byFamily: UInt16 = 20
    /// `SOCK_DESTROY`.
    static let destroy: UInt16 = 21

    /// `struct inet_diag_req_v2` for TCP: which states, and one socket's addresses, or none.
    static func request(states: UInt32, local: SocketAddress, remote: SocketAddress, interface: UInt32) -> [UInt8] {
        let family: UInt8 = local.family == .ipv6 ? 10 : 2
        // INET_DIAG_INFO: only with TCP's own counters comes what tells a subflow from other TCP connections.
        var header: [UInt8] = [family, 6, 1 << 1, 0] + NetlinkRequest.bytes(states)
        header += NetlinkRequest.bytes(local.port.bigEndian) + NetlinkRequest.bytes(remote.port.bigEndian)
        for address in [local, remote] {
            header += address.bytes + [UInt8](repeating: 0, count: 16 - address.bytes.count)
        }
        let device = interface != 0 ? interface : local.scope
        // INET_DIAG_NOCOOKIE: whichever socket has these addresses.
        return header + NetlinkRequest.bytes(device) + [UInt8](repeating: 0xFF, count: 8)
    }

    /// `struct inet_diag_req_v2` for the MPTCP sockets of a family that have a peer.
    static func multipathRequest(_ family: SocketAddress.Family, states: UInt32) -> NetlinkRequest {
        let any = SocketAddress.any(family, port: 0)
        var request = NetlinkRequest(
            type: byFamily, flags: .dump, header: Self.request(states: states, local: any, remote: any, interface: 0))
        // INET_DIAG_REQ_PROTOCOL: IPPROTO_MPTCP does not fit into the header.
        request.add(3, UInt32(262))
        return request
    }

    /// A connection, from a `struct inet_diag_msg` about an MPTCP socket; `nil` without `MPTCP_INFO`.
    package static func connection(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> DiagnosedConnection? {
        var attributes = try NetlinkAttributes(after: size, in: bytes)
        while let attribute = try attributes.next(in: bytes) {
            // INET_DIAG_INFO: struct mptcp_info, the token behind six bytes and the flags.
            guard attribute.type == 2, attribute.value.count >= 16 else { continue }
            let (local, remote, _) = try identity(bytes)
            return DiagnosedConnection(
                token: NetlinkBytes.uint32(bytes, at: attribute.value.lowerBound + 12), local: local, remote: remote,
                state: TCPState(rawValue: bytes[1]) ?? .unknown)
        }
        return nil
    }

    /// The addresses in a `struct inet_diag_msg`, and the interface that the socket is bound to.
    static func identity(
        _ bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> (local: SocketAddress, remote: SocketAddress, interface: UInt32) {
        _ = try NetlinkAttributes(after: size, in: bytes)
        let isIPv6 = bytes[0] == 10
        return (
            try address(8, isIPv6, port: 4, in: bytes), try address(24, isIPv6, port: 6, in: bytes),
            NetlinkBytes.uint32(bytes, at: 40)
        )
    }

    private static let size = 72

    /// Reads a `struct inet_diag_msg` and its attributes; `nil` when it is no subflow.
    package static func subflow(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> DiagnosedSubflow? {
        var attributes = try NetlinkAttributes(after: size, in: bytes)
        while let attribute = try attributes.next(in: bytes) {
            // INET_DIAG_ULP_INFO
            guard attribute.type == 19 else { continue }
            var parts = NetlinkAttributes(nestedIn: attribute)
            while let part = try parts.next(in: bytes) {
                // INET_ULP_INFO_MPTCP
                if part.type == 3 { return try subflow(part, in: bytes) }
            }
        }
        return nil
    }

    private static func subflow(
        _ multipath: NetlinkAttribute, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> DiagnosedSubflow {
        let (local, remote, interface) = try identity(bytes)
        var subflow = DiagnosedSubflow(
            token: 0, remoteToken: 0, localID: 0, remoteID: 0, local: local, remote: remote,
            interface: interface, state: TCPState(rawValue: bytes[1]) ?? .unknown, flags: 0)
        var parts = NetlinkAttributes(nestedIn: multipath)
        while let part = try parts.next(in: bytes) {
            switch part.type {
            case 1: subflow.remoteToken = try part.uint32(in: bytes)
            case 2: subflow.token = try part.uint32(in: bytes)
            case 8: subflow.flags = try part.uint32(in: bytes)
            case 9: subflow.remoteID = try part.uint8(in: bytes)
            case 10: subflow.localID = try part.uint8(in: bytes)
            default: break
            }
        }
        return subflow
    }

    private static func address(
        _ offset: Int, _ isIPv6: Bool, port: Int, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> SocketAddress {
        let value = NetlinkAttribute(type: 0, value: offset..<offset + (isIPv6 ? 16 : 4))
        let port = try NetlinkAttribute(type: 0, value: port..<port + 2).bigEndianUInt16(in: bytes)
        return try value.address(in: bytes).with(port: port)
    }
}
