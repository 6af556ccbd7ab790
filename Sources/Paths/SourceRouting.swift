public import LinuxSystem
internal import SystemPackage

/// Keeps routing rules and tables of its own (`paths.routing = true`), so that several uplinks behind several routers just
/// work. rtnetlink(7). It needs `CAP_NET_ADMIN`.
///
/// Owned and used by one thread.
public struct SourceRouting: ~Copyable, Sendable {
    private var socket: NetlinkSocket
    private var present: SourceRoutingPlan

    /// Something that the kernel refused.
    public struct Refusal: Sendable, Hashable {
        /// What was to be done: `adding a rule for 192.0.2.1`.
        public var operation: String
        /// Why not.
        public var error: NetlinkError
    }

    /// Opens it, and removes what an earlier process left.
    ///
    /// - Throws: `NetlinkError`; `.refused(.notPermitted, …)` without `CAP_NET_ADMIN`.
    public init() throws(NetlinkError) {
        self = try Self.opened()
    }

    private init(_ socket: consuming NetlinkSocket) {
        self.socket = socket
        present = SourceRoutingPlan()
    }

    private static func opened() throws(NetlinkError) -> SourceRouting {
        var routing = SourceRouting(try LinkMonitor.opened())
        try routing.removeLeftovers()
        return routing
    }

    /// Makes the kernel's rules and routes what the plan says.
    ///
    /// - Returns: what was refused.
    public mutating func apply(_ plan: SourceRoutingPlan) -> [Refusal] {
        var refusals: [Refusal] = []
        // Rules first: a rule that leads to an empty table is passed over, and so harms nobody.
        for rule in present.rules.subtracting(plan.rules) {
            perform(SourceRoutingMessages.delete(rule), "removing the rule for \(rule.source.host)", &refusals)
        }
        for route in present.routes.subtracting(plan.routes) {
            perform(SourceRoutingMessages.delete(route), "removing a route of table \(route.table)", &refusals)
        }
        // Networks before the routers in them; all anew, for the kernel may have dropped some.
        for route in plan.routes.sorted(by: { $0.destinationLength > $1.destinationLength }) {
            perform(SourceRoutingMessages.add(route), "adding a route to table \(route.table)", &refusals)
        }
        for rule in plan.rules.subtracting(present.rules) {
            perform(SourceRoutingMessages.add(rule), "adding the rule for \(rule.source.host)", &refusals)
        }
        present = plan
        return refusals
    }

    /// Removes all of it.
    ///
    /// - Returns: what was refused.
    public mutating func restore() -> [Refusal] { apply(SourceRoutingPlan()) }

    private mutating func perform(_ request: NetlinkRequest, _ operation: String, _ refusals: inout [Refusal]) {
        do throws(NetlinkError) {
            try socket.exchange(request)
        } catch {
            switch error {
            // It is as wanted already: the kernel drops routes with their interface; a rule may be there twice.
            case .refused(.noSuchProcess, _), .refused(.noSuchFileOrDirectory, _), .refused(.fileExists, _),
                .refused(.noSuchDevice, _):
                return
            default: refusals.append(Refusal(operation: operation, error: error))
            }
        }
    }

    private mutating func removeLeftovers() throws(NetlinkError) {
        for type in [SourceRoutingMessages.getRule, LinkMessages.getRoute] {
            for family in [UInt8(2), 10] {
                for message in try socket.exchange(SourceRoutingMessages.dump(type, family)) {
                    guard let request = SourceRoutingMessages.deletion(ofLeftover: message) else { continue }
                    var refusals: [Refusal] = []
                    perform(request, "", &refusals)
                    if let refusal = refusals.first { throw refusal.error }
                }
            }
        }
        // Whether this process may: deleting what is not there is refused in another way than deleting what one may not.
        let nothing = SourceRoutingPlan.Rule(source: .any(.ipv4, port: 0), table: SourceRoutingPlan.base, priority: 1)
        var refusals: [Refusal] = []
        perform(SourceRoutingMessages.delete(nothing), "", &refusals)
        if let refusal = refusals.first { throw refusal.error }
    }
}
