extension Host {
    /// What an MPTCP endpoint of the kernel's path manager is for; see ip-mptcp(8).
    public struct EndpointFlags: OptionSet, Sendable {
        /// The flags as bits, those of the kernel.
        public let rawValue: Int
        /// - Parameter rawValue: The flags as bits.
        public init(rawValue: Int) { self.rawValue = rawValue }
        /// Open subflows from this address.
        public static let subflow = EndpointFlags(rawValue: 1)
        /// Announce this address to peers.
        public static let signal = EndpointFlags(rawValue: 2)
        /// Carry data only while no other subflow can.
        public static let backup = EndpointFlags(rawValue: 4)
        /// Open a subflow to each address of the peer.
        public static let fullmesh = EndpointFlags(rawValue: 8)

        var words: [String] {
            zip([Self.subflow, .signal, .backup, .fullmesh], ["subflow", "signal", "backup", "fullmesh"])
                .filter { contains($0.0) }.map(\.1)
        }
    }

    /// Which family of a link's addresses is meant.
    public enum AddressFamily: Sendable {
        /// IPv4.
        case ipv4
        /// IPv6.
        case ipv6
    }

    /// Sets how many subflows a connection may have besides its first, and how many announced addresses it accepts.
    ///
    /// - Parameters:
    ///   - subflows: Additional subflows a connection, up to 8.
    ///   - announced: Announced addresses accepted, up to 8.
    public func mptcp(subflows: Int = 8, announced: Int = 8) throws(LabError) {
        try run("ip", "mptcp", "limits", "set", "subflow", "\(subflows)", "add_addr_accepted", "\(announced)")
    }

    /// Makes this host's address on a link an MPTCP endpoint, bound to the link's interface.
    ///
    /// - Parameters:
    ///   - link: The link.
    ///   - flags: What the endpoint is for.
    ///   - id: Its number, 1 to 255; `nil`: the kernel takes a free one.
    ///   - family: Which of its addresses.
    public func endpoint(
        _ link: Link, _ flags: EndpointFlags, id: Int? = nil, family: AddressFamily = .ipv4
    ) throws(LabError) {
        let number = id.map { ["id", "\($0)"] } ?? []
        try run(
            ["ip", "mptcp", "endpoint", "add", address(on: link, family), "dev", link.name] + number + flags.words)
    }

    /// Removes all MPTCP endpoints of the host; their subflows are closed.
    public func removeEndpoints() throws(LabError) {
        try run("ip", "mptcp", "endpoint", "flush")
    }

    /// Makes a link an uplink: what is sent from this host's addresses on it leaves by it (a rule and a table of its
    /// own), and it gets a default route besides those of other uplinks.
    ///
    /// The first uplink made is the one that connections take that are bound to no address.
    ///
    /// - Parameter link: The link; the gateway is the host at its other end.
    public func uplink(_ link: Link) throws(LabError) {
        let gateway = link.ends.end(of: link.peer(of: self))
        let table = 100 + link.number
        for (family, local, remote) in [
            ("-4", link.address(of: self), gateway.address), ("-6", link.address6(of: self), gateway.address6),
        ] {
            let commands = """
                rule add from \(local) table \(table) priority \(table)
                route add default via \(remote) dev \(link.name) table \(table)
                route add default via \(remote) dev \(link.name) metric \(table)

                """
            try run(["ip", family, "-batch", "-"], input: commands)
        }
    }

    /// Everything a client needs to use several links at once: an uplink and an endpoint (`subflow`) for each, and the
    /// limits.
    ///
    /// - Parameters:
    ///   - links: The links, the preferred one first.
    ///   - families: For which addresses to make endpoints; the kernel keeps at most 8.
    public func multipath(over links: [Link], families: [AddressFamily] = [.ipv4]) throws(LabError) {
        try mptcp()
        for link in links {
            try uplink(link)
            for family in families {
                try endpoint(link, .subflow, family: family)
            }
        }
    }

    private func address(on link: Link, _ family: AddressFamily) -> String {
        family == .ipv4 ? link.address(of: self) : link.address6(of: self)
    }
}
