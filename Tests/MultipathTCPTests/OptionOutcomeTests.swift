import LinuxSystem
import MultipathTCP
import SystemPackage
import TestNamespace
import Testing

@Suite("Socket options: set, unsupported here, or failed")
struct OptionOutcomeTests {
    @Test(
        "what both protocols have, is set",
        arguments: [StreamProtocol.tcp, .mptcp], [SocketAddress.Family.ipv4, .ipv6])
    func common(streamProtocol: StreamProtocol, family: SocketAddress.Family) throws {
        try NetworkNamespace.run {
            let socket = try Socket.stream(family, streamProtocol)
            #expect(socket.attemptKeepalive(idle: 60, interval: 10, count: 3) == .set)
            #expect(socket.attemptNoDelay(true) == .set)
            #expect(socket.attemptCongestionControl("reno") == .set)
            #expect(socket.attemptMark(7) == .set)
            let typeOfService = socket.attemptTypeOfService(0x10, family)
            if family == .ipv6 && streamProtocol == .mptcp {
                // Linux 6.18 has no IPV6_TCLASS there; a kernel that has it is welcome.
                #expect([.set, .unsupported(.notSupportedOnSocket)].contains(typeOfService))
            } else {
                #expect(typeOfService == .set)
            }
            #expect(try socket.option(.mark) == 7)
            #expect(try socket.option(.noDelay) == 1)
            #expect(try socket.option(.keepaliveIdle) == 60)
        }
    }

    @Test("a user timeout is TCP's only")
    func userTimeout() throws {
        let tcp = try Socket.stream(.ipv4, .tcp)
        #expect(tcp.attemptUserTimeout(milliseconds: 5000) == .set)
        let mptcp = try Socket.stream(.ipv4, .mptcp)
        #expect(mptcp.attemptUserTimeout(milliseconds: 5000) == .unsupported(.protocolNotAvailable))
    }

    @Test("after a fallback a user timeout works")
    func userTimeoutAfterFallback() throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(serverMultipath: false)
            #expect(pair.client.attempt(.userTimeout, 5000) == .set)
        }
    }

    @Test("wrong values fail, and do not pass for unsupported", arguments: [StreamProtocol.tcp, .mptcp])
    func wrongValues(streamProtocol: StreamProtocol) throws {
        let socket = try Socket.stream(.ipv4, streamProtocol)
        #expect(socket.attemptCongestionControl("no-such-thing") == .failed(.noSuchFileOrDirectory))
        #expect(socket.attempt(.keepaliveIdle, -5) == .failed(.invalidArgument))
        let nothing = SocketOption(level: 6, name: 9999, label: "none")
        #expect(socket.attempt(nothing, 1) == .unsupported(.protocolNotAvailable))
    }
}
