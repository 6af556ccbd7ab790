package import LinuxSystem

/// What the path manager's messages look like. include/uapi/linux/mptcp_pm.h, Documentation/netlink/specs/mptcp_pm.yaml.
package enum PathManagerMessages {
    /// `MPTCP_PM_ATTR_…`.
    enum Attribute {
        static let endpoint: UInt16 = 1
        static let acceptedAnnouncements: UInt16 = 2
        static let subflows: UInt16 = 3
        static let token: UInt16 = 4
        static let localID: UInt16 = 5
        static let remote: UInt16 = 6
    }

    /// `MPTCP_PM_ADDR_ATTR_…`.
    private enum Part {
        static let family: UInt16 = 1
        static let id: UInt16 = 2
        static let ipv4: UInt16 = 3
        static let ipv6: UInt16 = 4
        /// In the host's byte order, unlike ports in events.
        static let port: UInt16 = 5
        static let flags: UInt16 = 6
        static let interface: UInt16 = 7
    }

    /// Appends an endpoint, without what it does not have.
    static func add(_ endpoint: PathEndpoint, as type: UInt16, to request: inout NetlinkRequest) {
        request.add(nested: type) { part in
            if endpoint.address.family == .ipv4 || endpoint.address.family == .ipv6 {
                let isIPv4 = endpoint.address.family == .ipv4
                part.add(Part.family, UInt16(isIPv4 ? 2 : 10))
                part.add(isIPv4 ? Part.ipv4 : Part.ipv6, bytes: endpoint.address.bytes)
            }
            if endpoint.id != 0 || endpoint.address.family == .none { part.add(Part.id, endpoint.id) }
            if endpoint.address.port != 0 { part.add(Part.port, endpoint.address.port) }
            if !endpoint.flags.isEmpty { part.add(Part.flags, endpoint.flags.rawValue) }
            if endpoint.interface != 0 { part.add(Part.interface, endpoint.interface) }
        }
    }

    /// Reads the endpoint in an answer (from its `struct genlmsghdr` on); `nil` when there is none.
    package static func endpoint(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> PathEndpoint? {
        var attributes = try NetlinkAttributes(after: 4, in: bytes)
        var endpoint: PathEndpoint?
        while let attribute = try attributes.next(in: bytes) {
            if attribute.type == Attribute.endpoint { endpoint = try Self.endpoint(attribute, in: bytes) }
        }
        return endpoint
    }

    private static func endpoint(
        _ attribute: NetlinkAttribute, in bytes: Span<UInt8>
    ) throws(NetlinkSyntaxError) -> PathEndpoint {
        var endpoint = PathEndpoint(address: .none, flags: [])
        var port: UInt16 = 0
        var parts = NetlinkAttributes(nestedIn: attribute)
        while let part = try parts.next(in: bytes) {
            switch part.type {
            case Part.id: endpoint.id = try part.uint8(in: bytes)
            case Part.ipv4, Part.ipv6: endpoint.address = try part.address(in: bytes)
            case Part.port: port = try part.uint16(in: bytes)
            case Part.flags: endpoint.flags = EndpointFlags(rawValue: try part.uint32(in: bytes))
            case Part.interface: endpoint.interface = try part.uint32(in: bytes)
            default: break
            }
        }
        guard endpoint.address.family != .none else {
            throw .malformed(offset: attribute.value.lowerBound, "an endpoint without address")
        }
        endpoint.address.port = port
        return endpoint
    }

    /// Reads the limits in an answer (from its `struct genlmsghdr` on).
    package static func limits(_ bytes: Span<UInt8>) throws(NetlinkSyntaxError) -> PathLimits {
        var attributes = try NetlinkAttributes(after: 4, in: bytes)
        var limits = PathLimits(subflows: 0, acceptedAnnouncements: 0)
        while let attribute = try attributes.next(in: bytes) {
            switch attribute.type {
            case Attribute.acceptedAnnouncements: limits.acceptedAnnouncements = Int(try attribute.uint32(in: bytes))
            case Attribute.subflows: limits.subflows = Int(try attribute.uint32(in: bytes))
            default: break
            }
        }
        return limits
    }
}
