internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import ServiceManager
internal import SystemPackage

/// Tries the configured socket options on a socket of the kind that will be dialled with, so that what the system refuses
/// is said at the start and not at the first connection.
enum UpstreamCheck {
    static func run(_ settings: Settings, logger: Logger) throws(StartError) {
        for relay in settings.relays {
            let plan = SocketPlan(relay.upstreamSocket)
            for upstream in relay.upstream {
                guard upstream.value.hostPort != nil || upstream.value.isMultipath else { continue }
                let literal = upstream.value.hostPort.flatMap { SocketAddress($0) }
                let family: SocketAddress.Family = literal?.family ?? plan.sourceAddress?.family ?? .ipv4
                try check(plan, family, upstream.value.isMultipath ? .mptcp : .tcp, relay, logger)
            }
        }
    }

    private static func check(
        _ plan: SocketPlan, _ family: SocketAddress.Family, _ wanted: StreamProtocol, _ relay: RelaySettings,
        _ logger: Logger
    ) throws(StartError) {
        let opened: OpenedSocket
        do throws(Errno) {
            opened = try MultipathSupport.socket(family, wanting: wanted)
        } catch {
            // No IPv6 here, say: the dial will tell, for that upstream alone.
            return
        }
        let socket = opened.take()
        for failure in socket.apply(plan, family: family) where !failure.isUnsupported {
            throw StartError(
                at: relay.locations[
                    "socket.upstream.\(key(failure.option))", "socket.\(key(failure.option))", "socket"],
                "the system refuses \(failure.option) on sockets to the upstream: \(failure.error)\(remedy(failure))")
        }
        guard let source = plan.sourceAddress, source.family == family else { return }
        do throws(Errno) {
            try socket.bind(to: source)
        } catch {
            throw StartError(
                at: relay.locations["socket.upstream.bind-address", "socket.bind-address", "socket"],
                "cannot bind to \(source.host): \(error); `ip address` shows the addresses that are there")
        }
    }

    private static func key(_ option: StaticString) -> String {
        switch option.description {
        case "SO_MARK": "mark"
        case "TCP_CONGESTION": "congestion"
        case "SO_BINDTODEVICE": "bind-interface"
        case "SO_SNDBUF", "SO_RCVBUF": "buffer"
        case "IP_TOS", "IPV6_TCLASS": "tos"
        case "TCP_USER_TIMEOUT": "user-timeout"
        case "TCP_FASTOPEN_CONNECT": "fast-open"
        case "TCP_NODELAY": "nodelay"
        default: "keepalive"
        }
    }

    private static func remedy(_ failure: SocketOptionFailure) -> String {
        switch (failure.option.description, failure.error) {
        case ("SO_MARK", .notPermitted): "; it needs CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in the unit)"
        case ("TCP_CONGESTION", .noSuchFileOrDirectory):
            "; `sysctl net.ipv4.tcp_available_congestion_control` shows those that are there, `modprobe tcp_NAME` loads more"
        case ("TCP_CONGESTION", .notPermitted):
            "; `sysctl net.ipv4.tcp_allowed_congestion_control` shows those that users may choose"
        case ("SO_BINDTODEVICE", .noSuchDevice): "; `ip link` shows the interfaces that are there"
        default: ""
        }
    }
}
