internal import Configuration
internal import FoundationEssentials
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

extension HostState {
    private static let settingNames = [
        "net.mptcp.enabled", "net.mptcp.path_manager", "net.mptcp.pm_type", "net.mptcp.scheduler",
        "net.mptcp.available_schedulers", "net.mptcp.blackhole_timeout",
        "net.mptcp.syn_retrans_before_tcp_fallback", "net.mptcp.checksum_enabled",
        "net.mptcp.allow_join_initial_addr_port", "net.core.somaxconn", "net.ipv4.tcp_fastopen",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_moderate_rcvbuf", "net.ipv4.tcp_notsent_lowat",
        "net.ipv4.tcp_congestion_control",
        "net.ipv4.tcp_available_congestion_control", "net.ipv4.tcp_allowed_congestion_control",
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.conf.all.rp_filter",
    ]

    /// Reads everything in this thread's network namespace.
    ///
    /// - Parameters:
    ///   - settings: the configuration.
    ///   - destination: where connections will go, for looking up routes; `nil`: somewhere on the Internet.
    static func read(settings: Settings?, destination: SocketAddress? = nil) -> HostState {
        var state = HostState()
        state.settings = settings
        state.destination = destination
        state.kernelRelease = ThisProcess.kernelRelease
        state.support = try? MultipathSupport.current()
        for name in settingNames {
            state.sysctls[name] = SystemFile.line("/proc/sys/" + name.replacing(".", with: "/"))
        }
        state.table = try? LinkMonitor().table
        state.readPathManager()
        state.counters = try? KernelCounters.read()
        state.readRoutes(destination)
        for interface in state.table?.interfaces.values.map({ $0 }) ?? [] {
            // The name may have dots.
            state.sysctls["net.ipv4.conf.\(interface.name).rp_filter"] = SystemFile.line(
                "/proc/sys/net/ipv4/conf/\(interface.name)/rp_filter")
            state.speeds[interface.index] = speed(of: interface)
        }
        state.managers = RunningManager.all()
        state.firewall = FirewallView.read()
        state.rights.isRoot = ThisProcess.effectiveUser == 0
        state.rights.hasNetworkAdministration = ThisProcess.hasNetworkAdministration
        state.rights.hasPrivilegedPorts = ThisProcess.hasPrivilegedPorts
        state.rights.unit = UnitFiles.text()
        state.descriptorLimit = DescriptorLimit.hard
        return state
    }

    /// Of hardware; a virtual interface says 10 Gbit/s, and one without a fixed speed -1 or nothing.
    private static func speed(of interface: NetworkInterface) -> Int? {
        let directory = "/sys/class/net/\(interface.name)"
        guard FileManager.default.fileExists(atPath: "\(directory)/device"),
            let speed = SystemFile.line("\(directory)/speed").flatMap({ Int($0) }), speed > 0
        else { return nil }
        return speed
    }

    private mutating func readPathManager() {
        do throws(PathManagerError) {
            var manager = try PathManager()
            pathManager = .success(
                PathManagerState(endpoints: try manager.endpoints(), limits: try manager.limits()))
        } catch {
            pathManager = .failure(error)
        }
    }

    private mutating func readRoutes(_ destination: SocketAddress?) {
        guard let table else { return }
        guard var lookup = try? RouteLookup() else { return }
        for address in table.addresses where address.isUsable {
            let given = destination.flatMap { $0.family == address.address.family ? $0 : nil }
            guard let target = given ?? Self.somewhere(address.address.family) else { continue }
            ways[address.address] = Way(
                bySource: lookup.route(to: target, from: address.address),
                byInterface: lookup.route(to: target, from: address.address, interface: address.interface))
        }
        let neighbours = lookup.neighbours()
        for (index, interface) in table.interfaces where !interface.isLoopback {
            gateways[index] = GatewayGuess.gateways(
                of: interface, lease: SystemFile.text("/run/systemd/netif/leases/\(index)"),
                neighbours: neighbours[index] ?? [])
        }
    }

    /// An address that only a default route leads to; nothing is sent there. RFC 5737 and RFC 3849 addresses would do as well,
    /// but careful hosts have no route to them.
    private static func somewhere(_ family: SocketAddress.Family) -> SocketAddress? {
        switch family {
        case .ipv4: try? SocketAddress(parsing: "1.1.1.1", port: 0)
        case .ipv6: try? SocketAddress(parsing: "2606:4700:4700::1111", port: 0)
        case .unix, .none: nil
        }
    }
}
