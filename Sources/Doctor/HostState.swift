internal import Configuration
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// What the checks look at: everything about this host, read once. The checks do no I/O, so that each can be tried on any host.
struct HostState: Sendable {
    /// As `uname -r` prints it.
    var kernelRelease = ""
    /// Whether MPTCP sockets are given out; `nil` when there are no sockets at all.
    var support: MultipathSupport? = .available
    /// Kernel settings by their names; `net.ipv4.conf.NAME.rp_filter` too. What the kernel lacks is not there.
    var sysctls: [String: String] = [:]
    /// Interfaces, addresses, default routes; `nil` when netlink is forbidden.
    var table: LinkTable?
    /// The way packets to somewhere far would take, from each address of this host.
    var ways: [SocketAddress: Way] = [:]
    /// Routers on interfaces that have no default route, guessed.
    var gateways: [UInt32: [SocketAddress]] = [:]
    /// The path manager's state, or why it cannot be read.
    var pathManager: Result<PathManagerState, PathManagerError> = .success(PathManagerState())
    /// The kernel's counters; `nil` when they cannot be read.
    var counters: KernelCounters?
    /// Processes in this network namespace that are known to manage paths.
    var managers: [RunningManager] = []
    /// What the packet filter does to MPTCP.
    var firewall = FirewallView()
    /// What this process, and the unit, may do.
    var rights = Rights()
    /// How many descriptors a process may have at most.
    var descriptorLimit = 0
    /// The configuration, when there is one.
    var settings: Settings?
    /// The peer that was asked about.
    var destination: SocketAddress?
    /// What connections to it through single links showed.
    var peerPaths: [PeerPath] = []
    /// What interfaces say of their speed, in Mbit/s, by number; those that are not hardware say nothing true.
    var speeds: [UInt32: Int] = [:]

    /// The way to a peer through one link.
    struct PeerPath: Sendable, Hashable {
        /// The link's name.
        var link: String
        /// Its interface's number.
        var interface: UInt32
        /// The shortest round trip that was seen, in microseconds.
        var roundTrip: UInt32
        /// The largest packet that the kernel believes the path to take.
        var mtu: Int
        /// Whether full packets arrive; `nil` when that was not seen.
        var takesFullPackets: Bool?
    }

    /// By which interface packets leave.
    struct Way: Sendable, Hashable {
        /// When only the source address is given, as a socket bound to it does.
        var bySource: RouteAnswer?
        /// When the interface is given as well, as an endpoint with `dev` does.
        var byInterface: RouteAnswer?
    }

    /// What `ip mptcp` shows.
    struct PathManagerState: Sendable, Hashable {
        var endpoints: [PathEndpoint] = []
        var limits = PathLimits(subflows: 2, acceptedAnnouncements: 0)
    }

    /// Who may do what.
    struct Rights: Sendable, Hashable {
        var isRoot = false
        var hasNetworkAdministration = false
        var hasPrivilegedPorts = false
        /// Text of braid.service and its drop-ins; `nil` when it is not installed.
        var unit: String?
    }

    /// A setting as a number.
    func number(_ name: String) -> Int? { sysctls[name].flatMap { Int($0) } }

    /// Endpoints and limits, when they can be read.
    var paths: PathManagerState? { try? pathManager.get() }

    /// Whether the daemon of this configuration makes endpoints and limits itself.
    var isManaged: Bool { settings?.paths.manage ?? false }

    /// Whether the configuration accepts MPTCP from elsewhere.
    var acceptsMultipath: Bool {
        settings?.relays.contains { relay in
            relay.listen.contains {
                if case .mptcp = $0.value { true } else if case .convert = $0.value { true } else { false }
            }
        } ?? false
    }

    /// Whether the configuration dials MPTCP.
    var dialsMultipath: Bool {
        settings?.relays.contains { $0.upstream.contains { $0.value.isMultipath } } ?? false
    }

    /// An interface's name, for people.
    func name(of interface: UInt32) -> String { table?.interfaces[interface]?.name ?? "interface \(interface)" }
}
