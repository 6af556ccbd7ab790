import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP

@Suite("Is it multipath, and why not")
struct IsItMultipathTests {
    @Test("both ask: multipath, before and after bytes went both ways", arguments: ["127.0.0.1", "::1"])
    func bothAsk(host: String) throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(host: host)
            #expect(pair.client.isMultipath)
            try pair.exchange()
            for connection in [pair.client, pair.server] {
                #expect(connection.isMultipath)
                #expect(connection.state == .multipath)
                #expect(connection.notMultipathReason == nil)
                #expect(MultipathState.ofOlderKernel(connection.raw) == .multipath)
                #expect(try connection.info().hasRemoteKey)
            }
            #expect(pair.listener.isMultipath)
            #expect(pair.client.remote == pair.listener.address)
            #expect(pair.client.local == pair.server.remote)
        }
    }

    @Test("off by default, on both sides")
    func offByDefault() throws {
        try NetworkNamespace.run {
            let listener = try MultipathListener(on: try SocketAddress(parsing: "127.0.0.1", port: 0))
            let client = try MultipathDialer().connect(to: listener.address)
            let server = try listener.accept(timeout: .seconds(5))
            #expect(!listener.isMultipath)
            #expect(listener.notMultipathReason == .notRequested)
            #expect(client.state == .plainTCP)
            #expect(client.notMultipathReason == .notRequested)
            #expect(server.notMultipathReason == .notRequested)
        }
    }

    @Test("a plain client at a multipath listener")
    func plainClient() throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(clientMultipath: false)
            try pair.exchange()
            #expect(pair.listener.isMultipath)
            #expect(pair.server.state == .plainTCP)
            #expect(pair.server.notMultipathReason == .clientDidNotAsk)
            #expect(pair.client.notMultipathReason == .notRequested)
        }
    }

    @Test("a plain listener", arguments: ["127.0.0.1", "::1"])
    func plainListener(host: String) throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(serverMultipath: false, host: host)
            try pair.exchange()
            #expect(pair.client.state == .fellBack)
            #expect(MultipathState.ofOlderKernel(pair.client.raw) == .fellBack)
            #expect(pair.client.notMultipathReason == .peerOrPathRefused)
            #expect(throws: Errno.self) { try pair.client.info() }
        }
    }

    @Test("net.mptcp.enabled=0 gives plain TCP that says so, and is not remembered")
    func disabled() throws {
        try NetworkNamespace.run {
            try NetworkNamespace.set("mptcp/enabled", "0")
            #expect(try MultipathSupport.current() == .notNow(.disabledBySysctl))
            let pair = try ConnectedPair()
            try pair.exchange()
            #expect(pair.listener.notMultipathReason == .disabledBySysctl)
            #expect(pair.client.notMultipathReason == .disabledBySysctl)
            #expect(pair.server.notMultipathReason == .disabledBySysctl)

            try NetworkNamespace.set("mptcp/enabled", "1")
            #expect(try MultipathSupport.current() == .available)
            #expect(try MultipathSupport.current(.ipv6) == .available)
        }
    }

    @Test("the errors of socket(2): never, not now, and none of our business")
    func supportRule() {
        #expect(MultipathSupport.reason(for: .protocolNotSupported) == .kernelWithoutMPTCP)
        #expect(MultipathSupport.reason(for: .invalidArgument) == .kernelWithoutMPTCP)
        #expect(MultipathSupport.reason(for: .protocolNotAvailable) == .disabledBySysctl)
        #expect(MultipathSupport.reason(for: .permissionDenied) == .refusedBySystem(.permissionDenied))
        #expect(MultipathSupport.reason(for: .tooManyOpenFiles) == nil)
        #expect(MultipathSupport.reason(for: .addressFamilyNotSupported) == nil)
    }

    @Test("a Unix socket and a plain TCP one")
    func otherSockets() throws {
        let unix = try Socket.unixStream()
        let tcp = try Socket.stream(.ipv4, .tcp)
        #expect(unix.multipathState == .notTCP)
        #expect(tcp.multipathState == .plainTCP)
        #expect(MultipathState.of(-1) == .notTCP)
    }

    @Test("every reason has its own line and its own word")
    func reasonsAreDistinct() {
        let reasons: [NotMultipathReason] = [
            .notRequested, .kernelWithoutMPTCP, .disabledBySysctl, .refusedBySystem(.notPermitted), .clientDidNotAsk,
            .peerOrPathRefused, .fellBackLater, .synDropped, .blackholeDetected, .notTCP,
        ]
        #expect(Set(reasons.map(\.description)).count == reasons.count)
        #expect(Set(reasons.map(\.identifier)).count == reasons.count)
        #expect(reasons.allSatisfy { !$0.description.contains("\n") && !$0.description.hasSuffix(".") })
    }
}
