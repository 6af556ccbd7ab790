public import LinuxSystem

/// What the kernel's path manager uses an address of this host for. ip-mptcp(8).
public struct EndpointFlags: OptionSet, Sendable, Hashable {
    /// The kernel's bits; those that have no name here are kept as they are.
    public let rawValue: UInt32

    /// From the kernel's bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Announce the address to peers (ADD_ADDR).
    public static let signal = EndpointFlags(rawValue: 1)
    /// Open a subflow from the address.
    public static let subflow = EndpointFlags(rawValue: 2)
    /// Ask the peer, and tell this side, to use its subflows only while no other works (MP_PRIO, and the B bit).
    public static let backup = EndpointFlags(rawValue: 4)
    /// Open a subflow to each of the peer's addresses. Linux 5.16; not together with `signal`.
    public static let fullmesh = EndpointFlags(rawValue: 8)
    /// Made by the kernel itself for a subflow that came from nowhere. Linux 5.18; cannot be asked for.
    public static let implicit = EndpointFlags(rawValue: 16)
    /// Use it to answer an announced address, once for each. Linux 6.18. Older kernels either drop the bit or keep it without
    /// effect, and there is no way to ask which.
    public static let laminar = EndpointFlags(rawValue: 32)
}

extension EndpointFlags: CustomStringConvertible {
    /// `subflow backup`; unknown bits as a number.
    public var description: String {
        let names: [(EndpointFlags, String)] = [
            (.signal, "signal"), (.subflow, "subflow"), (.backup, "backup"), (.fullmesh, "fullmesh"),
            (.implicit, "implicit"), (.laminar, "laminar"),
        ]
        var words = names.filter { contains($0.0) }.map(\.1)
        let unknown = names.reduce(self) { $0.subtracting($1.0) }
        if !unknown.isEmpty { words.append("0x\(String(unknown.rawValue, radix: 16))") }
        return words.joined(separator: " ")
    }
}

/// An address of this host that the kernel's path manager knows: an "endpoint". ip-mptcp(8).
public struct PathEndpoint: Sendable, Hashable {
    /// The kernel's number for it, 1 to 255; 0 leaves the choice to the kernel.
    public var id: UInt8
    /// The address; its port is 0 unless `signal` announces one.
    public var address: SocketAddress
    /// What it is used for.
    public var flags: EndpointFlags
    /// The index of the interface that its subflows leave by; 0 leaves it to the routing table.
    public var interface: UInt32

    /// An endpoint of its parts.
    public init(id: UInt8 = 0, address: SocketAddress, flags: EndpointFlags, interface: UInt32 = 0) {
        self.id = id
        self.address = address
        self.flags = flags
        self.interface = interface
    }

    /// How many endpoints a network namespace can have (`MPTCP_PM_ADDR_MAX`, compiled into the kernel).
    public static let maximumCount = 8
}

extension PathEndpoint: CustomStringConvertible {
    /// `192.0.2.1 id 1 subflow dev 4`.
    public var description: String {
        var text = address.port == 0 ? address.host : address.description
        if id != 0 { text += " id \(id)" }
        if !flags.isEmpty { text += " \(flags)" }
        return interface == 0 ? text : text + " dev \(interface)"
    }
}

/// How much the kernel's path manager does for one connection. ip-mptcp(8).
public struct PathLimits: Sendable, Hashable {
    /// Subflows besides the first: 0 to 8.
    public var subflows: Int
    /// Announced addresses that are answered with subflows: 0 to 8.
    public var acceptedAnnouncements: Int

    /// Limits of their parts.
    public init(subflows: Int, acceptedAnnouncements: Int) {
        self.subflows = subflows
        self.acceptedAnnouncements = acceptedAnnouncements
    }
}
