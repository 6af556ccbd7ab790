public import LinuxSystem
public import MultipathTCP

/// One step towards the endpoints and limits that the links call for.
public enum EndpointOperation: Sendable, Hashable {
    /// Remove what the kernel has.
    case remove(PathEndpoint)
    /// Make it backup, or no more.
    case setBackup(Bool, PathEndpoint)
    /// Close its subflows and open new ones; peers are not told that the address is gone, for it is not.
    case reopen(PathEndpoint)
    /// Set the limits.
    case setLimits(PathLimits)
    /// Add what the kernel lacks; id 0 leaves that to the kernel.
    case add(PathEndpoint)

    var isRemoval: Bool {
        if case .remove = self { true } else { false }
    }

    var endpoint: PathEndpoint? {
        switch self {
        case .remove(let endpoint), .setBackup(_, let endpoint), .reopen(let endpoint), .add(let endpoint): endpoint
        case .setLimits: nil
        }
    }
}

/// Something about endpoints and limits that a person should know.
public enum EndpointNotice: Sendable, Hashable {
    /// Somebody else added an endpoint, or it was there before; Braid leaves it alone.
    case foreign(PathEndpoint)
    /// An endpoint of somebody else is gone.
    case foreignVanished(PathEndpoint)
    /// Somebody else removed an endpoint that Braid keeps; it is added again.
    case removedByOther(PathEndpoint)
    /// Somebody else changed an endpoint that Braid keeps; it is changed back.
    case changedByOther(PathEndpoint)
    /// Somebody else changed or removed an endpoint again and again; Braid leaves it alone for so many nanoseconds.
    case contested(PathEndpoint, pause: UInt64)
    /// Somebody else changed the limits; they are changed back, the third time after a while.
    case limitsChangedByOther(PathLimits)
    /// The kernel keeps eight endpoints at most: this address of this link got none.
    case noRoom(link: String, address: SocketAddress)

    /// Whether somebody else undoes what Braid did.
    public var isInterference: Bool {
        switch self {
        case .removedByOther, .changedByOther, .contested, .limitsChangedByOther: true
        case .foreign, .foreignVanished, .noRoom: false
        }
    }
}

/// An endpoint that a link calls for.
public struct WantedEndpoint: Sendable, Hashable {
    /// The link's name.
    public var link: String
    /// The endpoint, with id 0.
    public var endpoint: PathEndpoint

    /// One of its parts.
    public init(link: String, endpoint: PathEndpoint) {
        self.link = link
        self.endpoint = endpoint
    }

    /// The endpoints that links call for, the most important first: one of each family for each link, by the links'
    /// priority, then their second addresses, and so on. The kernel keeps only eight.
    public static func all(for links: [LinkStatus]) -> [WantedEndpoint] {
        var ranked: [(rank: Int, wanted: WantedEndpoint)] = []
        var seen: Set<SocketAddress> = []
        for link in links where link.state == .up {
            var counts: [SocketAddress.Family: Int] = [:]
            for address in link.addresses {
                let rank = counts[address.family, default: 0]
                counts[address.family] = rank + 1
                guard seen.insert(address).inserted else { continue }
                var endpoint = PathEndpoint(
                    address: address, flags: link.configured.isAnnounced ? .signal : .subflow,
                    interface: link.interface)
                if link.configured.isAnnounced { endpoint.address.port = link.configured.port }
                if link.configured.isFullMesh, !link.configured.isAnnounced { endpoint.flags.insert(.fullmesh) }
                if link.configured.isBackup { endpoint.flags.insert(.backup) }
                ranked.append((rank, WantedEndpoint(link: link.name, endpoint: endpoint)))
            }
        }
        return ranked.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element.wanted)
    }
}
