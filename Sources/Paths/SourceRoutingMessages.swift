internal import LinuxSystem

/// What the messages about routing rules and routes look like. include/uapi/linux/fib_rules.h, rtnetlink(7).
enum SourceRoutingMessages {
    private static let newRule: UInt16 = 32
    private static let deleteRule: UInt16 = 33
    static let getRule: UInt16 = 34
    /// `NLM_F_CREATE | NLM_F_EXCL`, `NLM_F_CREATE | NLM_F_REPLACE`
    private static let asNew = NetlinkFlags(rawValue: 0x600)
    private static let replacing = NetlinkFlags(rawValue: 0x500)

    static func add(_ rule: SourceRoutingPlan.Rule) -> NetlinkRequest { request(newRule, rule, asNew) }
    static func delete(_ rule: SourceRoutingPlan.Rule) -> NetlinkRequest { request(deleteRule, rule, []) }
    static func add(_ route: SourceRoutingPlan.Route) -> NetlinkRequest {
        request(LinkMessages.newRoute, route, replacing)
    }
    static func delete(_ route: SourceRoutingPlan.Route) -> NetlinkRequest {
        request(LinkMessages.deleteRoute, route, [])
    }

    private static func request(
        _ type: UInt16, _ rule: SourceRoutingPlan.Rule, _ flags: NetlinkFlags
    ) -> NetlinkRequest {
        // struct fib_rule_hdr; FR_ACT_TO_TBL.
        let sourceLength = UInt8(rule.source.bytes.count * 8)
        var header = [number(rule.source.family), rule.destinationLength, sourceLength, 0]
        header += [rule.table < 256 ? UInt8(rule.table) : 0, 0, 0, 1] + NetlinkRequest.bytes(UInt32(0))
        var request = NetlinkRequest(type: type, flags: flags, header: header)
        if let destination = rule.destination { request.add(1, bytes: destination.bytes) }
        request.add(2, bytes: rule.source.bytes)
        request.add(6, rule.priority)
        // FRA_SUPPRESS_PREFIXLEN: what a route with at most so many bits says does not count.
        if rule.skipsDefault { request.add(14, UInt32(0)) }
        request.add(15, rule.table)
        request.add(21, SourceRoutingPlan.mark)
        return request
    }

    private static func request(
        _ type: UInt16, _ route: SourceRoutingPlan.Route, _ flags: NetlinkFlags
    ) -> NetlinkRequest {
        // struct rtmsg: RT_SCOPE_LINK without a router, RTN_UNICAST. A deletion names no scope.
        let isDirect = route.gateway == nil && route.family == .ipv4
        let scope: UInt8 = type == LinkMessages.deleteRoute ? 255 : isDirect ? 253 : 0
        var header = [number(route.family), route.destinationLength, 0, 0]
        header += [route.table < 256 ? UInt8(route.table) : 0, SourceRoutingPlan.mark, scope, 1]
        header += NetlinkRequest.bytes(UInt32(0))
        var request = NetlinkRequest(type: type, flags: flags, header: header)
        if let destination = route.destination { request.add(1, bytes: destination.bytes) }
        request.add(4, route.interface)
        if let gateway = route.gateway {
            if gateway.family == route.family {
                request.add(5, bytes: gateway.bytes)
            } else {
                // RTA_VIA: a router of the other family.
                request.add(18, bytes: NetlinkRequest.bytes(UInt16(number(gateway.family))) + gateway.bytes)
            }
        }
        request.add(15, route.table)
        return request
    }

    private static func number(_ family: SocketAddress.Family) -> UInt8 { family == .ipv6 ? 10 : 2 }

    /// A request for all rules, or routes, of a family.
    static func dump(_ type: UInt16, _ family: UInt8) -> NetlinkRequest {
        NetlinkRequest(type: type, flags: .dump, header: [family] + [UInt8](repeating: 0, count: 11))
    }

    /// How to delete a rule or route that carries Braid's mark; `nil` for others', and for what cannot be read.
    static func deletion(ofLeftover message: NetlinkMessage) -> NetlinkRequest? {
        let bytes = message.payload
        guard bytes.count >= 12 else { return nil }
        let isRule = message.type == newRule
        guard isRule || message.type == LinkMessages.newRoute, isRule ? hasMark(message) : isMarkedRoute(bytes.span)
        else { return nil }
        // The same message with another type says what to delete.
        var request = NetlinkRequest(
            type: isRule ? deleteRule : LinkMessages.deleteRoute, header: Array(bytes[..<12]))
        do throws(NetlinkSyntaxError) {
            var attributes = try NetlinkAttributes(after: 12, in: bytes.span)
            while let attribute = try attributes.next(in: bytes.span) {
                // Only what tells it from others: not its cache statistics and the like.
                let wanted: Set<UInt16> = isRule ? [1, 2, 6, 14, 15, 21] : [1, 4, 5, 6, 15, 18]
                // FRA_SUPPRESS_PREFIXLEN of a rule that suppresses nothing is -1, and not to be asked for.
                if isRule, attribute.type == 14, try attribute.uint32(in: bytes.span) == .max { continue }
                guard wanted.contains(attribute.type) else { continue }
                request.add(attribute.type, bytes: NetlinkBytes.array(bytes.span, attribute.value))
            }
        } catch {
            return nil
        }
        return request
    }

    /// Whether a `struct rtmsg` is about a route that Braid made.
    static func isMarkedRoute(_ bytes: Span<UInt8>) -> Bool {
        bytes.count > 5 && bytes[5] == SourceRoutingPlan.mark
    }

    private static func hasMark(_ message: NetlinkMessage) -> Bool {
        do throws(NetlinkSyntaxError) {
            let bytes = message.payload.span
            var attributes = try NetlinkAttributes(after: 12, in: bytes)
            while let attribute = try attributes.next(in: bytes) {
                if attribute.type == 21 { return try attribute.uint8(in: bytes) == SourceRoutingPlan.mark }
            }
        } catch {
            return false
        }
        return false
    }
}
