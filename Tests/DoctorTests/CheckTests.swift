import Configuration
import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Doctor
@testable import Paths

/// Checks on hosts that a lab cannot be.
@Suite struct CheckTests {
    private func verdicts(_ findings: [Finding]) -> [Verdict] { findings.map(\.verdict) }

    private func counters(_ values: [String: UInt64]) -> KernelCounters {
        let names = values.keys.sorted()
        let text =
            "MPTcpExt: \(names.joined(separator: " "))\n"
            + "MPTcpExt: \(names.map { "\(values[$0] ?? 0)" }.joined(separator: " "))\n"
        return KernelCounters(parsing: Array(text.utf8))
    }

    @Test("kernels: none, old, new, and one that refuses")
    func kernel() {
        var host = HostState()
        host.kernelRelease = "5.4.0-26-generic"
        host.support = .never
        #expect(verdicts(KernelCheck.examine(host)) == [.fail])
        #expect(EnabledCheck.examine(host) == [])
        host.support = .available
        host.kernelRelease = "5.10.0-9-amd64"
        #expect(verdicts(KernelCheck.examine(host)) == [.warn])
        for release in ["5.15.0", "6.1.0-18-amd64", "7.0-rc1"] {
            host.kernelRelease = release
            #expect(verdicts(KernelCheck.examine(host)) == [.pass])
        }
        host.support = .notNow(.refusedBySystem(.notPermitted))
        #expect(verdicts(KernelCheck.examine(host)) == [.fail])
        host.support = .notNow(.disabledBySysctl)
        #expect(verdicts(KernelCheck.examine(host)) == [.pass])
    }

    @Test("an older kernel has neither path_manager nor scheduler nor blackhole settings")
    func olderKernel() {
        var host = HostState()
        host.sysctls["net.mptcp.pm_type"] = "1"
        #expect(PathManagerCheck.examine(host).first?.remedies.first == .command("sysctl -w net.mptcp.pm_type=0"))
        host.sysctls["net.mptcp.pm_type"] = "0"
        for check in [
            PathManagerCheck.examine, SchedulerCheck.examine, BlackholeCheck.examine, SynFallbackCheck.examine,
        ] { #expect(verdicts(check(host)) == [.pass]) }
    }

    @Test("the kernel has switched MPTCP off after a lost SYN")
    func blackhole() {
        var host = HostState()
        host.sysctls["net.mptcp.blackhole_timeout"] = "3600"
        host.counters = counters(["Blackhole": 1, "MPCapableSYNTXDrop": 1, "MPCapableSYNTXDisabled": 12])
        let finding = BlackholeCheck.examine(host).first
        #expect(finding?.verdict == .fail)
        #expect(finding?.found.contains("12 connections so far") == true)
        host.sysctls["net.mptcp.blackhole_timeout"] = "0"
        #expect(verdicts(BlackholeCheck.examine(host)) == [.pass])
    }

    @Test("a scheduler that is not the default, and one that is not there")
    func scheduler() {
        var host = HostState()
        host.sysctls["net.mptcp.scheduler"] = "bpf_red"
        host.sysctls["net.mptcp.available_schedulers"] = "default bpf_red"
        #expect(verdicts(SchedulerCheck.examine(host)) == [.warn])
        host.sysctls["net.mptcp.available_schedulers"] = "default"
        #expect(SchedulerCheck.examine(host).first?.remedies.first == .command("sysctl -w net.mptcp.scheduler=default"))
    }

    @Test("counters: trouble is told when it is more than one in a hundred")
    func trouble() {
        var host = HostState()
        host.counters = counters(["MPCapableSYNTX": 1000, "MPCapableFallbackSYNACK": 9, "DssFallback": 0])
        #expect(verdicts(CountersCheck.examine(host)) == [.pass])
        host.counters = counters([
            "MPCapableSYNTX": 1000, "MPCapableFallbackSYNACK": 10, "MPJoinSynRx": 3, "MPJoinRejected": 3,
        ])
        let findings = CountersCheck.examine(host)
        #expect(verdicts(findings) == [.warn, .warn])
        #expect(findings.last?.found.contains("MPTcpExtMPJoinRejected") == true)
        host.counters = nil
        #expect(verdicts(CountersCheck.examine(host)) == [.pass])
    }

    @Test("capabilities: of the unit when it is installed, else of this process")
    func capabilities() {
        var settings = Settings.defaults
        settings.paths.manage = true
        var host = HostState()
        host.settings = settings
        #expect(verdicts(CapabilitiesCheck.examine(host)) == [.fail])
        host.rights.hasNetworkAdministration = true
        #expect(verdicts(CapabilitiesCheck.examine(host)) == [.pass])
        host.rights.unit = "[Service]\nCapabilityBoundingSet=\nAmbientCapabilities=\n"
        let finding = CapabilitiesCheck.examine(host).first
        #expect(finding?.verdict == .fail)
        #expect(finding?.remedies.first?.text.contains("braid.service.d/paths.conf") == true)
        host.rights.unit = "[Service]\nAmbientCapabilities=\n\n[Service]\nAmbientCapabilities=CAP_NET_ADMIN\n"
        #expect(verdicts(CapabilitiesCheck.examine(host)) == [.pass])
        host.settings = nil
        #expect(CapabilitiesCheck.examine(host) == [])
    }

    @Test("NetworkManager matters only when endpoints are Braid's; mptcpd always")
    func managers() {
        var settings = Settings.defaults
        var host = HostState()
        host.managers = [RunningManager(id: 7, name: "NetworkManager")]
        #expect(verdicts(OtherManagersCheck.examine(host)) == [.pass])
        settings.paths.manage = true
        host.settings = settings
        #expect(verdicts(OtherManagersCheck.examine(host)) == [.warn])
        host.managers = [RunningManager(id: 8, name: "mptcpd")]
        #expect(OtherManagersCheck.examine(host).first?.remedies.first?.text.contains("kill 8") == true)
    }

    @Test("endpoints and limits that cannot be read are no crash, and no pass")
    func unreadable() {
        var host = HostState()
        host.pathManager = .failure(.netlink(.system(.addressFamilyNotSupported)))
        #expect(verdicts(LimitsCheck.examine(host)) == [.warn])
        #expect(verdicts(LinksCheck.examine(host)) == [.warn])
        #expect(EndpointsCheck.examine(host) == [])
    }

    @Test("a descriptor limit that the configured connections exceed")
    func descriptors() {
        var settings = Settings.defaults
        settings.limits.connections = 10_000
        var host = HostState()
        host.descriptorLimit = 20_000
        #expect(verdicts(DescriptorsCheck.examine(host)) == [.pass])
        host.settings = settings
        #expect(verdicts(DescriptorsCheck.examine(host)) == [.warn])
    }

    @Test("the router of a link without a default route: its DHCP lease, or its only neighbours")
    func gateways() throws {
        let interface = NetworkInterface(index: 2, name: "eth0", flags: 0x41, mtu: 1500)
        let neighbours = try ["192.0.2.1", "224.0.0.22", "fe80::1"].map { try SocketAddress(parsing: $0, port: 0) }
        let leased = GatewayGuess.gateways(
            of: interface, lease: "ADDRESS=192.0.2.7\nROUTER=192.0.2.254 192.0.2.253\n", neighbours: neighbours)
        #expect(leased.map(\.host) == ["192.0.2.254"])
        let known = GatewayGuess.gateways(of: interface, lease: nil, neighbours: neighbours)
        #expect(known == [neighbours[0], neighbours[2]])
        let nonsense = GatewayGuess.gateways(of: interface, lease: "ROUTER=\nROUTER=x", neighbours: [])
        #expect(nonsense.isEmpty)
    }

    @Test("which addresses routers translate")
    func privateAddresses() throws {
        for text in ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1"] {
            #expect(try SocketAddress(parsing: text, port: 0).isPrivate)
        }
        for text in ["172.32.0.1", "192.0.2.1", "100.128.0.1", "2001:db8::1", "fe80::1"] {
            #expect(try !SocketAddress(parsing: text, port: 0).isPrivate)
        }
    }

    /// A host with two links, "wifi" (1, 10.0.1.1) and "lte" (2, 192.0.2.7).
    private func twoLinks() throws -> HostState {
        var table = LinkTable()
        for (index, name, address) in [(UInt32(1), "wifi", "10.0.1.1"), (2, "lte", "192.0.2.7")] {
            table.interfaces[index] = NetworkInterface(index: index, name: name, flags: 0x41, mtu: 1500)
            table.addresses.append(
                InterfaceAddress(
                    interface: index, address: try SocketAddress(parsing: address, port: 0), prefixLength: 24,
                    scope: 0, flags: 0))
            table.routes.append(DefaultRoute(family: .ipv4, interface: index, metric: index))
        }
        var host = HostState()
        host.table = table
        return host
    }

    @Test("buffers are judged by the links: their hardware's speed, and the round trip to the peer that was asked")
    func buffers() throws {
        var host = try twoLinks()
        host.sysctls["net.ipv4.tcp_rmem"] = "4096 131072 4000000"
        host.sysctls["net.ipv4.tcp_wmem"] = "4096 16384 4000000"
        // 100 Mbit/s in all for 100 ms, twice: 2.5 MB.
        var finding = try #require(BuffersCheck.examine(host).first)
        #expect(finding.verdict == .pass && finding.found.contains("wifi 50 Mbit/s assumed and 100 ms assumed"))
        host.peerPaths = [HostState.PeerPath(link: "lte", interface: 2, roundTrip: 600_000, mtu: 1500)]
        let findings = BuffersCheck.examine(host)
        #expect(verdicts(findings) == [.warn, .warn])
        #expect(findings[0].found.contains("lte 50 Mbit/s assumed and 600 ms"), "\(findings[0].found)")
        #expect(findings[0].remedies.first == .command("sysctl -w net.ipv4.tcp_rmem='4096 131072 16777216'"))
        host.speeds = [1: 10, 2: 10]
        finding = try #require(BuffersCheck.examine(host).first)
        #expect(finding.verdict == .pass && finding.found.contains("lte 10 Mbit/s and 600 ms"), "\(finding.found)")
        host.speeds = [1: 10_000, 2: 10_000]
        #expect(
            verdicts(BuffersCheck.examine(host)) == [.warn, .warn], "what is plugged in says what may come at most")
    }

    @Test("packet sizes: of interfaces, routes, and the way to the peer")
    func packetSizes() throws {
        var host = try twoLinks()
        #expect(PacketSizeCheck.examine(host).map(\.found) == ["1500 bytes"])
        host.peerPaths = [
            HostState.PeerPath(link: "wifi", interface: 1, roundTrip: 9000, mtu: 1492, takesFullPackets: true)
        ]
        #expect(
            PacketSizeCheck.examine(host).map(\.found)
                == ["1500 bytes; to the peer through wifi 1492, which arrive"])
        host.peerPaths[0].takesFullPackets = false
        let vanish = try #require(PacketSizeCheck.examine(host).first)
        #expect(vanish.verdict == .fail && vanish.remedies.first == .command("ip link set dev wifi mtu 1280"))
        host.peerPaths[0] = HostState.PeerPath(link: "wifi", interface: 1, roundTrip: 9000, mtu: 1000)
        #expect(verdicts(PacketSizeCheck.examine(host)) == [.warn])
        host.peerPaths = []
        let own = try SocketAddress(parsing: "10.0.1.1", port: 0)
        host.ways[own] = HostState.Way(bySource: RouteAnswer(interface: 1, mtu: 900))
        #expect(PacketSizeCheck.examine(host).first?.found.contains("the route by wifi") == true)
        host.ways[own] = HostState.Way(bySource: RouteAnswer(interface: 1, advertisedSegment: 536))
        #expect(PacketSizeCheck.examine(host).first?.found.contains("536 bytes at most (advmss)") == true)
    }

    @Test("address translation: where it is, and that it does no harm unless a private address is announced")
    func translation() throws {
        var host = try twoLinks()
        let nowhere = TranslationCheck.examine(host)
        #expect(verdicts(nowhere) == [.pass] && nowhere[0].found.contains("wifi (10.0.1.1), translated"))
        host.destination = try SocketAddress(parsing: "10.9.9.9", port: 1)
        #expect(TranslationCheck.examine(host)[0].found.contains("nothing need translate"))
        host.destination = try SocketAddress(parsing: "203.0.113.9", port: 1)
        #expect(TranslationCheck.examine(host)[0].found.contains("translated on the way to 203.0.113.9"))
        var state = HostState.PathManagerState()
        state.endpoints = [
            PathEndpoint(id: 4, address: try SocketAddress(parsing: "10.0.1.1", port: 0), flags: .signal, interface: 1)
        ]
        host.pathManager = .success(state)
        let announced = try #require(TranslationCheck.examine(host).first)
        #expect(announced.verdict == .warn && announced.remedies.first == .command("ip mptcp endpoint delete id 4"))
    }

    @Test("answers of rtnetlink, cut off at every byte")
    func truncatedRoutes() throws {
        let route: [UInt8] =
            [2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0] + [8, 0, 4, 0, 3, 0, 0, 0] + [8, 0, 5, 0, 192, 0, 2, 1]
        let whole = try RouteLookup.decode(NetlinkMessage(type: 24, payload: route))
        #expect(whole == RouteAnswer(interface: 3, gateway: try SocketAddress(parsing: "192.0.2.1", port: 0)))
        let neighbour: [UInt8] = [2, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0] + [8, 0, 1, 0, 192, 0, 2, 1]
        let known = try RouteLookup.neighbour(NetlinkMessage(type: 28, payload: neighbour))
        #expect(known?.0 == 3 && known?.1.host == "192.0.2.1")
        let limited = route + [20, 0, 8, 0, 8, 0, 2, 0, 0xDC, 5, 0, 0, 8, 0, 8, 0, 0, 2, 0, 0]
        let metrics = try RouteLookup.decode(NetlinkMessage(type: 24, payload: limited))
        #expect(metrics?.mtu == 1500 && metrics?.advertisedSegment == 512)
        for end in limited.indices.dropFirst(route.count + 1) {
            #expect(throws: NetlinkSyntaxError.self) {
                try RouteLookup.decode(NetlinkMessage(type: 24, payload: Array(limited[..<end])))
            }
        }
        for end in route.indices {
            let answer = try? RouteLookup.decode(NetlinkMessage(type: 24, payload: Array(route[..<end])))
            #expect(answer == nil || answer == RouteAnswer(interface: 3))
        }
        for end in neighbour.indices {
            let answer = try? RouteLookup.neighbour(NetlinkMessage(type: 28, payload: Array(neighbour[..<end])))
            #expect(answer == nil)
        }
    }
}

/// What is printed.
@Suite struct ReportTests {
    private static let report = DoctorReport([
        Finding(.pass, "kernel", "good"),
        Finding(.fail, "x", "bad \"thing\"", [.command("mend it"), .lasting("keep it")]),
        Finding(.warn, "y", "so so", [.advice("look")]),
    ])

    @Test func lines() {
        #expect(
            Self.report.lines(colour: false) == [
                "PASS kernel  good", "FAIL x       bad \"thing\"", "     fix: mend it", "     keep: keep it",
                "WARN y       so so", "     do: look",
            ])
        #expect(Self.report.lines(colour: true)[1] == "\u{1B}[31mFAIL\u{1B}[0m x       bad \"thing\"")
        #expect(Self.report.summary == "1 passed, 1 warned, 1 failed")
        #expect(Self.report.hasFailure)
        #expect(!DoctorReport([Finding(.warn, "y", "so so")]).hasFailure)
    }

    @Test func json() {
        #expect(
            DoctorReport([Self.report.findings[1]]).json
                == #"{"checks":[{"check":"x","found":"bad \"thing\"","remedies":[{"kind":"fix","text":"mend it"},"#
                + #"{"kind":"keep","text":"keep it"}],"verdict":"FAIL"}],"healthy":false}"#)
    }

    @Test("a program that is not there, one that fails, one that writes")
    func commands() throws {
        #expect(throws: Errno.noSuchFileOrDirectory) { try Command.output("braid-no-such-program") }
        #expect(throws: Errno.notPermitted) { try Command.output("false") }
        #expect(try Command.output("printf", "%s-%s", "a b", "") == "a b-")
        #expect(throws: Errno.fileTooLarge) { try Command.output("yes") }
    }
}
