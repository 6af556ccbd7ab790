internal import LinuxSystem
internal import SystemPackage

/// By which interface and router a packet would leave: the kernel's own answer, by its rules and tables, without sending
/// anything. rtnetlink(7), `RTM_GETROUTE`. (`ip route get DESTINATION from SOURCE oif INTERFACE`)
struct RouteAnswer: Sendable, Hashable {
    /// The interface's number.
    var interface: UInt32
    /// The router; `nil` when the destination is on the link.
    var gateway: SocketAddress?
    /// The largest packet that the route is said to take (`ip route … mtu`); `nil`: as the interface.
    var mtu: Int?
    /// The largest segment that peers are asked for on it (`ip route … advmss`); `nil`: as the packets allow.
    var advertisedSegment: Int?
}

/// Asks for routes.
struct RouteLookup: ~Copyable {
    private var socket: NetlinkSocket

    /// - Throws: `Errno` when there is no netlink.
    init() throws(Errno) {
        socket = try NetlinkSocket(.route)
    }

    /// - Returns: `nil` when there is no way.
    mutating func route(
        to destination: SocketAddress, from source: SocketAddress?, interface: UInt32 = 0
    ) -> RouteAnswer? {
        let bits = UInt8(destination.bytes.count * 8)
        let family: UInt8 = destination.family == .ipv6 ? 10 : 2
        var request = NetlinkRequest(
            type: 26, header: [family, bits, source == nil ? 0 : bits, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        request.add(1, bytes: destination.bytes)
        if let source { request.add(2, bytes: source.bytes) }
        if interface != 0 { request.add(4, interface) }
        guard let message = try? socket.exchange(request).first(where: { $0.type == 24 }) else { return nil }
        return try? Self.decode(message)
    }

    /// `struct rtmsg`. An unreachable or blackhole route is none.
    static func decode(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> RouteAnswer? {
        let bytes = message.payload.span
        var attributes = try NetlinkAttributes(after: 12, in: bytes)
        guard bytes[7] == 1 else { return nil }
        var answer = RouteAnswer(interface: 0)
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case 4: answer.interface = try attribute.uint32(in: bytes)
            case 5: answer.gateway = try attribute.address(in: bytes)
            case 8: try decode(metrics: attribute, in: bytes, &answer)
            default: break
            }
        }
        return answer.interface == 0 ? nil : answer
    }

    /// `RTA_METRICS`: `RTAX_MTU` and `RTAX_ADVMSS`.
    private static func decode(
        metrics: NetlinkAttribute, in bytes: Span<UInt8>, _ answer: inout RouteAnswer
    ) throws(NetlinkSyntaxError) {
        var nested = NetlinkAttributes(nestedIn: metrics)
        while let metric = try nested.next(in: bytes) {
            switch metric.type {
            case 2: answer.mtu = Int(try metric.uint32(in: bytes))
            case 8: answer.advertisedSegment = Int(try metric.uint32(in: bytes))
            default: break
            }
        }
    }

    /// The neighbours that are known on each interface, for guessing which is the router. (`ip neigh`)
    mutating func neighbours() -> [UInt32: [SocketAddress]] {
        let request = NetlinkRequest(type: 30, flags: .dump, header: [UInt8](repeating: 0, count: 12))
        guard let messages = try? socket.exchange(request) else { return [:] }
        var neighbours: [UInt32: [SocketAddress]] = [:]
        for message in messages where message.type == 28 {
            guard let (interface, address) = try? Self.neighbour(message) else { continue }
            neighbours[interface, default: []].append(address)
        }
        return neighbours
    }

    /// `struct ndmsg`; `nil` for one that did not answer (`NUD_FAILED`, `NUD_INCOMPLETE`, `NUD_NOARP`).
    static func neighbour(_ message: NetlinkMessage) throws(NetlinkSyntaxError) -> (UInt32, SocketAddress)? {
        let bytes = message.payload.span
        var attributes = try NetlinkAttributes(after: 12, in: bytes)
        guard bytes[0] == 2 || bytes[0] == 10, NetlinkBytes.uint16(bytes, at: 8) & 0x61 == 0 else { return nil }
        while let attribute = try attributes.next(in: bytes) {
            guard attribute.type == 1 else { continue }
            return (NetlinkBytes.uint32(bytes, at: 4), try attribute.address(in: bytes))
        }
        return nil
    }
}
