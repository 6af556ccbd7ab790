internal import LinuxSystem

/// What the messages of rtnetlink(7) about links, addresses and routes look like.
enum LinkMessages {
    static let newLink: UInt16 = 16
    static let deleteLink: UInt16 = 17
    static let getLink: UInt16 = 18
    static let newAddress: UInt16 = 20
    static let deleteAddress: UInt16 = 21
    static let getAddress: UInt16 = 22
    static let newRoute: UInt16 = 24
    static let deleteRoute: UInt16 = 25
    static let getRoute: UInt16 = 26
    /// `NLM_F_REPLACE`
    static let replace = NetlinkFlags(rawValue: 0x100)

    /// `RTNLGRP_LINK`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV6_IFADDR`, `_IPV6_ROUTE`
    static let groups: [UInt32] = [1, 5, 7, 9, 11]

    /// A request for everything there is of a kind.
    static func dump(_ type: UInt16) -> NetlinkRequest {
        // Strict checking wants the whole header: ifinfomsg, ifaddrmsg, rtmsg.
        let headerSize = type == getLink ? 16 : type == getAddress ? 8 : 12
        var request = NetlinkRequest(type: type, flags: .dump, header: [UInt8](repeating: 0, count: headerSize))
        // IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS: counters are most of the answer.
        if type == getLink { request.add(29, UInt32(8)) }
        return request
    }

    /// `struct ifinfomsg`; `nil` for a message about a bridge's port, which is no news of the interface.
    static func interface(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> NetworkInterface? {
        let bytes = message.payload.span
        var attributes = try NetlinkAttributes(after: 16, in: bytes)
        guard bytes[0] == 0 else { return nil }
        var interface = NetworkInterface(
            index: NetlinkBytes.uint32(bytes, at: 4), name: "", flags: NetlinkBytes.uint32(bytes, at: 8), mtu: 0)
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case 3: interface.name = attribute.text(in: bytes)
            case 4: interface.mtu = Int(try attribute.uint32(in: bytes))
            default: break
            }
        }
        return interface
    }

    /// `struct ifaddrmsg`
    static func address(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> InterfaceAddress? {
        let bytes = message.payload.span
        var attributes = try NetlinkAttributes(after: 8, in: bytes)
        guard bytes[0] == 2 || bytes[0] == 10 else { return nil }
        var local: SocketAddress?
        var peer: SocketAddress?
        var flags = UInt32(bytes[2])
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case 1: peer = try attribute.address(in: bytes)
            case 2: local = try attribute.address(in: bytes)
            case 8: flags = try attribute.uint32(in: bytes)
            default: break
            }
        }
        // On a point-to-point interface the other one is the peer's.
        guard let address = local ?? peer else { throw .malformed(offset: 0, "no address in news of an address") }
        guard (address.family == .ipv4) == (bytes[0] == 2) else {
            throw .malformed(offset: 0, "an address of another family")
        }
        return InterfaceAddress(
            interface: NetlinkBytes.uint32(bytes, at: 4), address: address, prefixLength: bytes[1], scope: bytes[3],
            flags: flags)
    }

    /// `struct rtmsg`: one route for each next hop, none when it is no default route, or one that Braid itself has made of
    /// another.
    static func defaultRoutes(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> [DefaultRoute] {
        let bytes = message.payload.span
        var attributes = try NetlinkAttributes(after: 12, in: bytes)
        // RTN_UNICAST; not RTM_F_CLONED, which is a cached one.
        guard bytes[0] == 2 || bytes[0] == 10, bytes[1] == 0, bytes[7] == 1,
            NetlinkBytes.uint32(bytes, at: 8) & 0x200 == 0, !SourceRoutingMessages.isMarkedRoute(bytes)
        else { return [] }
        var route = DefaultRoute(family: bytes[0] == 2 ? .ipv4 : .ipv6, interface: 0, table: UInt32(bytes[4]))
        var hops: [(UInt32, SocketAddress?)] = []
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case 4: hops.append((try attribute.uint32(in: bytes), nil))
            case 5: route.gateway = try attribute.address(in: bytes)
            case 6: route.metric = try attribute.uint32(in: bytes)
            case 9: hops += try nextHops(attribute, in: bytes)
            case 15: route.table = try attribute.uint32(in: bytes)
            case 18: route.gateway = try via(attribute, in: bytes)
            default: break
            }
        }
        return hops.map { interface, gateway in
            var hop = route
            hop.interface = interface
            hop.gateway = gateway ?? route.gateway
            return hop
        }
    }

    /// `RTA_MULTIPATH`: `struct rtnexthop`, each followed by attributes.
    private static func nextHops(
        _ attribute: NetlinkAttribute, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> [(UInt32, SocketAddress?)] {
        var hops: [(UInt32, SocketAddress?)] = []
        var offset = attribute.value.lowerBound
        let end = attribute.value.upperBound
        while offset < end {
            guard end - offset >= 8 else { throw .truncated(offset: offset, needed: 8, available: end - offset) }
            let length = Int(NetlinkBytes.uint16(bytes, at: offset))
            guard length >= 8, length <= end - offset else {
                throw .malformed(offset: offset, "a next hop of \(length) bytes")
            }
            var gateway: SocketAddress?
            var parts = NetlinkAttributes(offset + 8..<offset + length)
            while let part = try parts.next(in: bytes) {
                switch part.type {
                case 5: gateway = try part.address(in: bytes)
                case 18: gateway = try via(part, in: bytes)
                default: break
                }
            }
            hops.append((NetlinkBytes.uint32(bytes, at: offset + 4), gateway))
            offset += NetlinkBytes.aligned(length)
        }
        return hops
    }

    /// `struct rtvia`: a router of another family. `nil` when that is no IP.
    private static func via(
        _ attribute: NetlinkAttribute, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> SocketAddress? {
        guard attribute.value.count >= 2 else {
            throw .malformed(offset: attribute.value.lowerBound, "a gateway of \(attribute.value.count) bytes")
        }
        let address = NetlinkAttribute(
            type: attribute.type, value: attribute.value.lowerBound + 2..<attribute.value.upperBound)
        switch NetlinkBytes.uint16(bytes, at: attribute.value.lowerBound) {
        case 2, 10: return try address.address(in: bytes)
        default: return nil
        }
    }
}
