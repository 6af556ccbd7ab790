internal import Configuration
internal import FoundationEssentials
internal import LinuxSystem
internal import MultipathTCP
internal import Paths
internal import SystemPackage

extension HostState {
    private static let settingNames = [
        "net.mptcp.enabled", "net.mptcp.path_manager", "net.mptcp.pm_type", "net.mptcp.scheduler",
        "net.mptcp.available_schedulers", "net.mptcp.blackhole_timeout",
        "net.mptcp.syn_retrans_before_tcp_fallback", "net.mptcp.checksum_enabled",
        "net.mptcp.allow_join_initial_addr_port", "net.core.somaxconn", "net.ipv4.tcp_fastopen",
        "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_moderate_rcvbuf", "net.ipv4.tcp_congestion_control",
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
        }
        state.managers = RunningManagers.read()
        state.firewall = FirewallView.read()
        state.rights.isRoot = ThisProcess.effectiveUser == 0
        state.rights.hasNetworkAdministration = ThisProcess.hasNetworkAdministration
        state.rights.hasPrivilegedPorts = ThisProcess.hasPrivilegedPorts
        state.rights.unit = UnitFiles.text()
        state.descriptorLimit = DescriptorLimit.hard
        return state
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

/// Which router an interface without a default route probably has.
enum GatewayGuess {
    /// What the DHCP lease of systemd-networkd says; else the only neighbours there are.
    static func gateways(
        of interface: NetworkInterface, lease: String?, neighbours: [SocketAddress]
    ) -> [SocketAddress] {
        for line in lease?.split(separator: "\n") ?? [] where line.hasPrefix("ROUTER=") {
            let first = line.dropFirst("ROUTER=".count).split(separator: " ").first
            if let first, let router = try? SocketAddress(parsing: String(first), port: 0) { return [router] }
        }
        return neighbours.filter { !$0.isAny && !($0.bytes.first.map { $0 >= 224 } ?? true && $0.family == .ipv4) }
    }
}

/// The limit of open descriptors.
enum DescriptorLimit {
    /// The hard limit, to which the daemon raises its own. getrlimit(2).
    static var hard: Int { (try? ThisProcess.raiseDescriptorLimit()) ?? 0 }
}

/// braid.service as it is installed.
enum UnitFiles {
    /// The unit and its drop-ins, one after the other; `nil` when there is none.
    static func text(root: String = "") -> String? {
        let places = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"]
        guard var text = places.lazy.compactMap({ SystemFile.text("\(root)\($0)/braid.service") }).first else {
            return nil
        }
        for place in places {
            let directory = "\(root)\(place)/braid.service.d"
            let files = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for file in files.sorted() where file.hasSuffix(".conf") {
                text += "\n" + (SystemFile.text("\(directory)/\(file)") ?? "")
            }
        }
        return text
    }
}

/// Programs that are known to change endpoints and limits.
enum RunningManagers {
    private static let names: Set<String> = ["mptcpd", "NetworkManager"]

    /// Those that run in this thread's network namespace, or cannot be asked in which they run.
    static func read() -> [HostState.RunningProcess] {
        let files = FileManager.default
        let own = try? files.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/net")
        var found: [HostState.RunningProcess] = []
        for entry in (try? files.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let id = Int(entry), let name = SystemFile.line("/proc/\(id)/comm"), names.contains(name) else {
                continue
            }
            // One that has ended and was not waited for yet manages nothing.
            let state = SystemFile.line("/proc/\(id)/stat")?.split(separator: ")").last?.split(separator: " ").first
            if state == nil || state == "Z" || state == "X" { continue }
            let its = try? files.destinationOfSymbolicLink(atPath: "/proc/\(id)/ns/net")
            if let its, its != own { continue }
            found.append(HostState.RunningProcess(id: id, name: name))
        }
        return found.sorted { $0.id < $1.id }
    }
}
