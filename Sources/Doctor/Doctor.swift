public import Configuration
internal import LinuxSystem
internal import MultipathTCP

/// Examines this host for everything that keeps multipath from working. Reading needs no rights; what cannot be seen without
/// them says so.
///
/// ```swift
/// let report = Doctor.examine()
/// report.lines(colour: false).forEach { print($0) }
/// ```
public enum Doctor {
    /// Examines this thread's network namespace.
    ///
    /// - Parameters:
    ///   - settings: the configuration to judge it by; `nil`: what any host needs.
    ///   - target: a peer to which connections are tried through each link.
    ///   - cancellation: a descriptor that, once readable, ends the waits for peers.
    public static func examine(
        settings: Settings? = nil, target: Target? = nil, cancellation: CInt? = nil
    ) -> DoctorReport {
        var resolved: [SocketAddress] = []
        if let target { resolved = (try? NameLookup.addresses(of: target.host, port: target.port)) ?? [] }
        var host = HostState.read(settings: settings, destination: resolved.first)
        // First, since other checks judge by what it saw of the paths.
        let peer = target.map {
            PeerCheck(host: host, target: $0, addresses: resolved, cancellation: cancellation).examine()
        }
        host.peerPaths = peer?.paths ?? []
        var findings = checks.flatMap { $0(host) }
        findings += UpstreamsCheck.examine(host, cancellation: cancellation)
        return DoctorReport(findings + (peer?.findings ?? []))
    }

    /// A peer: a name or an address without brackets, and a port.
    public struct Target: Sendable, Hashable, CustomStringConvertible {
        /// The name or address.
        public let host: String
        /// The port.
        public let port: UInt16

        /// A peer of its parts.
        public init(host: String, port: UInt16) {
            self.host = host
            self.port = port
        }

        /// `HOST:PORT`, an IPv6 address in brackets.
        public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// Those that only look, what others depend on first.
    static let checks: [@Sendable (HostState) -> [Finding]] = [
        KernelCheck.examine, EnabledCheck.examine, PathManagerCheck.examine, SchedulerCheck.examine,
        BlackholeCheck.examine, SynFallbackCheck.examine, ChecksumCheck.examine, InitialAddressCheck.examine,
        LinksCheck.examine, LimitsCheck.examine, EndpointsCheck.examine, RoutesCheck.examine,
        ReversePathCheck.examine, TranslationCheck.examine, OtherManagersCheck.examine, PacketSizeCheck.examine,
        BuffersCheck.examine, UnsentCheck.examine,
        BacklogCheck.examine, FastOpenCheck.examine, CongestionCheck.examine, FirewallCheck.examine,
        CountersCheck.examine, CapabilitiesCheck.examine, DescriptorsCheck.examine,
    ]
}
