public import LinuxSystem

/// A network interface, as the kernel tells it. rtnetlink(7), netdevice(7).
public struct NetworkInterface: Sendable, Hashable {
    /// Its number, which no other interface of the namespace gets while it is there.
    public var index: UInt32
    /// Its name, which may change.
    public var name: String
    /// `IFF_…`.
    public var flags: UInt32
    /// The largest packet, in bytes.
    public var mtu: Int

    /// An interface of its parts.
    public init(index: UInt32, name: String, flags: UInt32, mtu: Int) {
        self.index = index
        self.name = name
        self.flags = flags
        self.mtu = mtu
    }

    /// Whether it is switched on (`IFF_UP`).
    public var isUp: Bool { flags & 0x1 != 0 }
    /// Whether it could pass packets: carrier, and whatever else it needs (`IFF_RUNNING`).
    public var isRunning: Bool { flags & 0x40 != 0 }
    /// Whether it is a loopback interface (`IFF_LOOPBACK`).
    public var isLoopback: Bool { flags & 0x8 != 0 }
    /// Whether packets can leave by it.
    public var isUsable: Bool { isUp && isRunning }
}

/// An address of an interface. rtnetlink(7).
public struct InterfaceAddress: Sendable, Hashable {
    /// The interface's number.
    public var interface: UInt32
    /// The address; its port is 0.
    public var address: SocketAddress
    /// How many bits its network has.
    public var prefixLength: UInt8
    /// How far it is valid: `RT_SCOPE_…`, 0 everywhere, 253 on the link, 254 on this host.
    public var scope: UInt8
    /// `IFA_F_…`.
    public var flags: UInt32

    /// An address of its parts.
    public init(interface: UInt32, address: SocketAddress, prefixLength: UInt8, scope: UInt8 = 0, flags: UInt32 = 0) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
        self.flags = flags
    }

    /// Whether it is not known yet to be the only one (duplicate address detection), and cannot be used.
    public var isTentative: Bool { flags & 0x40 != 0 }
    /// Whether another host has it, so that it cannot be used.
    public var isDuplicate: Bool { flags & 0x08 != 0 }
    /// Whether nothing new should use it. RFC 4862, section 5.5.4.
    public var isDeprecated: Bool { flags & 0x20 != 0 }
    /// Whether it is one of several: a temporary IPv6 address (RFC 8981), or not the first of its IPv4 network.
    public var isSecondary: Bool { flags & 0x01 != 0 }
    /// Whether it is good for connections beyond the link, now.
    public var isUsable: Bool {
        scope < 253 && !isTentative && !isDuplicate && !isDeprecated && !address.isLinkLocal && !address.isLoopback
    }
}

/// A default route by one interface; a route of several next hops is several of these. rtnetlink(7).
public struct DefaultRoute: Sendable, Hashable {
    /// `.ipv4` or `.ipv6`.
    public var family: SocketAddress.Family
    /// The interface's number.
    public var interface: UInt32
    /// Which routing table: 254 is the main one.
    public var table: UInt32
    /// Its metric: lower is preferred.
    public var metric: UInt32
    /// The router; `nil` when there is none, as on point-to-point links.
    public var gateway: SocketAddress?

    /// A route of its parts.
    public init(
        family: SocketAddress.Family, interface: UInt32, table: UInt32 = 254, metric: UInt32 = 0,
        gateway: SocketAddress? = nil
    ) {
        self.family = family
        self.interface = interface
        self.table = table
        self.metric = metric
        self.gateway = gateway
    }
}

/// Something that changed in a `LinkTable`.
public enum LinkChange: Sendable, Hashable {
    case interfaceAppeared(NetworkInterface)
    /// Its name, flags (carrier among them) or MTU changed.
    case interfaceChanged(from: NetworkInterface, to: NetworkInterface)
    case interfaceVanished(NetworkInterface)
    case addressAppeared(InterfaceAddress)
    /// Its flags or scope changed: it is no longer tentative, or is deprecated.
    case addressChanged(from: InterfaceAddress, to: InterfaceAddress)
    case addressVanished(InterfaceAddress)
    case routeAppeared(DefaultRoute)
    case routeVanished(DefaultRoute)

    /// The number of the interface that it concerns.
    public var interface: UInt32 {
        switch self {
        case .interfaceAppeared(let interface), .interfaceVanished(let interface): interface.index
        case .interfaceChanged(_, let interface): interface.index
        case .addressAppeared(let address), .addressVanished(let address), .addressChanged(_, let address):
            address.interface
        case .routeAppeared(let route), .routeVanished(let route): route.interface
        }
    }
}
