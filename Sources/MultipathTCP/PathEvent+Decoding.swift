package import LinuxSystem
internal import SystemPackage

extension PathEvent {
    /// Reads an event, from its `struct genlmsghdr` on.
    package init(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) {
        var attributes = try NetlinkAttributes(after: 4, in: bytes)
        var fields = Fields()
        while let attribute = try attributes.next(in: bytes) { try fields.read(attribute, in: bytes) }
        switch bytes[0] {
        case 1: self = .created(try fields.connection())
        case 2: self = .established(try fields.connection())
        case 3: self = .closed(token: try fields.need(fields.token, "token"))
        case 6:
            self = .announced(
                token: try fields.need(fields.token, "token"), remoteID: try fields.need(fields.remoteID, "address id"),
                address: try fields.need(fields.remote, "address").with(port: fields.remotePort))
        case 7:
            self = .removed(
                token: try fields.need(fields.token, "token"), remoteID: try fields.need(fields.remoteID, "address id"))
        case 10: self = .subflowEstablished(try fields.subflow())
        case 11: self = .subflowClosed(try fields.subflow())
        case 13: self = .subflowPriority(try fields.subflow())
        case 15: self = .listenerCreated(try fields.need(fields.local, "address").with(port: fields.localPort))
        case 16: self = .listenerClosed(try fields.need(fields.local, "address").with(port: fields.localPort))
        case let number: self = .unknown(number)
        }
    }

    /// `MPTCP_ATTR_…`, as far as an event has them.
    private struct Fields {
        var token: UInt32?
        var localID: UInt8 = 0
        var remoteID: UInt8?
        var local: SocketAddress?
        var remote: SocketAddress?
        /// In network order on the wire, unlike an endpoint's.
        var localPort: UInt16 = 0
        var remotePort: UInt16 = 0
        var isBackup = false
        var error: Errno?
        var flags: UInt16 = 0
        var interface: UInt32 = 0
        var resetReason: UInt32?
        var isServer: Bool?

        mutating func read(_ attribute: NetlinkAttribute, in bytes: Span<UInt8>) throws(NetlinkSyntaxError) {
            switch attribute.type {
            case 1: token = try attribute.uint32(in: bytes)
            case 3: localID = try attribute.uint8(in: bytes)
            case 4: remoteID = try attribute.uint8(in: bytes)
            case 5, 6: local = try attribute.address(in: bytes)
            case 7, 8: remote = try attribute.address(in: bytes)
            case 9: localPort = try attribute.bigEndianUInt16(in: bytes)
            case 10: remotePort = try attribute.bigEndianUInt16(in: bytes)
            case 11: isBackup = try attribute.uint8(in: bytes) != 0
            case 12:
                let number = try attribute.uint8(in: bytes)
                error = number == 0 ? nil : Errno(rawValue: CInt(number))
            case 13: flags = try attribute.uint16(in: bytes)
            case 15: interface = try attribute.uint32(in: bytes)
            case 16: resetReason = try attribute.uint32(in: bytes)
            case 18: isServer = try attribute.uint8(in: bytes) != 0
            default: break
            }
        }

        func connection() throws(NetlinkSyntaxError) -> Connection {
            Connection(
                token: try need(token, "token"), local: try need(local, "source").with(port: localPort),
                remote: try need(remote, "destination").with(port: remotePort),
                // Linux 6.18 says it by a flag, and by the attribute for those who knew only that.
                isAccepted: flags & 2 != 0 ? true : isServer, peerDeniesJoinToInitialAddress: flags & 1 != 0)
        }

        func subflow() throws(NetlinkSyntaxError) -> Subflow {
            Subflow(
                token: try need(token, "token"), localID: localID, remoteID: remoteID ?? 0,
                local: try need(local, "source").with(port: localPort),
                remote: try need(remote, "destination").with(port: remotePort), isBackup: isBackup,
                interface: interface, error: error, resetReason: resetReason)
        }

        func need<Value>(_ value: Value?, _ name: String) throws(NetlinkSyntaxError) -> Value {
            guard let value else { throw .malformed(offset: 0, "an event without \(name)") }
            return value
        }
    }
}
