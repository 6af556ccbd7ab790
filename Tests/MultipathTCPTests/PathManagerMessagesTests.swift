import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing
import TestNamespace

/// Messages of a real kernel (Linux 6.18), from the `struct genlmsghdr` on.
@Suite("Path manager messages")
struct PathManagerMessagesTests {
    static let endpoint = hex(
        """
        03 01 0000              # command 3
        2c00 0180               # nested 1
          0600 0100 0200 0000   #   family AF_INET
          0600 0500 611e 0000   #   port 7777, host order
          0500 0200 04 000000   #   id 4
          0800 0600 01000000    #   flags: signal
          0800 0300 7f000009    #   127.0.0.9
        """)
    static let limits = hex(
        """
        06 01 0000              # command 6
        0800 0200 05000000      # accepted announcements 5
        0800 0300 04000000      # subflows 4
        """)
    static let created = hex(
        """
        01 01 0000              # MPTCP_EVENT_CREATED
        0800 0100 3d6f75cd      # token
        0500 1200 01 000000     # server side
        0600 0d00 0200 0000     # flags: server side
        0600 0200 0200 0000     # AF_INET
        0800 0500 7f000001      # source
        0800 0700 7f000001      # destination
        0600 0900 15b3 0000     # source port 5555, big endian
        0600 0a00 8d7a 0000     # destination port 36218
        0500 0300 00 000000     # local id
        0500 0400 00 000000     # remote id
        """)
    static let closed = hex("03 01 0000  0800 0100 69d807f6")
    static let announced = hex(
        """
        06 01 0000              # MPTCP_EVENT_ANNOUNCED
        0800 0100 69d807f6      # token
        0500 0400 04 000000     # remote id 4
        0600 0a00 1e61 0000     # destination port 7777, big endian
        0800 0700 7f000009      # destination
        """)
    static let removed = hex("07 01 0000  0800 0100 69d807f6  0500 0400 04 000000")
    static let subflowClosed = hex(
        """
        0b 01 0000              # MPTCP_EVENT_SUB_CLOSED
        0800 0100 69d807f6      # token
        0600 0200 0200 0000     # AF_INET
        0800 0500 7f000002      # source
        0800 0700 7f000001      # destination
        0600 0900 d1b9 0000     # source port 53689
        0600 0a00 15b3 0000     # destination port 5555
        0500 0300 03 000000     # local id 3
        0500 0400 00 000000     # remote id 0
        0500 0b00 01 000000     # backup
        0800 0f00 01000000      # interface 1
        0500 0c00 67 000000     # error 103
        0800 1000 02000000      # reset reason 2
        """)
    static let listener = hex(
        """
        0f 01 0000              # MPTCP_EVENT_LISTENER_CREATED
        0600 0200 0200 0000     # AF_INET
        0600 0900 1e61 0000     # port 7777
        0800 0500 7f000009
        """)

    @Test("an endpoint; its port is in host order")
    func endpointDecoded() throws {
        let endpoint = try #require(try PathManagerMessages.endpoint(Self.endpoint.span))
        #expect(
            endpoint
                == PathEndpoint(id: 4, address: try SocketAddress(parsing: "127.0.0.9", port: 7777), flags: .signal))
        #expect(endpoint.description == "127.0.0.9:7777 id 4 signal")
    }

    @Test("flags that nobody knows are kept and shown")
    func unknownFlags() throws {
        var bytes = Self.endpoint
        bytes[36] = 0x81
        let flags = try #require(try PathManagerMessages.endpoint(bytes.span)).flags
        #expect(flags.rawValue == 0x81)
        #expect(flags.description == "signal 0x80")
    }

    @Test("limits")
    func limitsDecoded() throws {
        #expect(
            try PathManagerMessages.limits(Self.limits.span) == PathLimits(subflows: 4, acceptedAnnouncements: 5))
    }

    @Test("every kind of event; ports are in network order")
    func events() throws {
        let one = try SocketAddress(parsing: "127.0.0.1", port: 5555)
        guard case .created(let connection) = try PathEvent(Self.created.span) else {
            Issue.record("not created")
            return
        }
        #expect(connection.token == 0xcd75_6f3d)
        #expect(connection.local == one)
        #expect(connection.remote.port == 0x8d7a)
        #expect(connection.isAccepted == true)
        #expect(connection.peerDeniesJoinToInitialAddress == false)
        #expect(try PathEvent(Self.closed.span) == .closed(token: 0xf607_d869))
        #expect(
            try PathEvent(Self.announced.span)
                == .announced(
                    token: 0xf607_d869, remoteID: 4, address: try SocketAddress(parsing: "127.0.0.9", port: 7777)))
        #expect(try PathEvent(Self.removed.span) == .removed(token: 0xf607_d869, remoteID: 4))
        #expect(
            try PathEvent(Self.listener.span) == .listenerCreated(try SocketAddress(parsing: "127.0.0.9", port: 7777)))
        let subflow = PathEvent.Subflow(
            token: 0xf607_d869, localID: 3, remoteID: 0, local: try SocketAddress(parsing: "127.0.0.2", port: 53689),
            remote: one, isBackup: true, interface: 1, error: .connectionAbort, resetReason: 2)
        for (number, event) in [
            (10, PathEvent.subflowEstablished(subflow)), (11, .subflowClosed(subflow)), (13, .subflowPriority(subflow)),
        ] {
            var bytes = Self.subflowClosed
            bytes[0] = UInt8(number)
            #expect(try PathEvent(bytes.span) == event)
        }
        #expect(try PathEvent([200, 1, 0, 0].span) == .unknown(200))
        #expect(PathEvent.subflowClosed(subflow).token == subflow.token)
    }

    private static let all = [endpoint, limits, created, closed, announced, removed, subflowClosed, listener]

    @Test("cut off anywhere: an error, or what was whole")
    func truncation() {
        for bytes in Self.all {
            for count in 0..<bytes.count {
                let cut = Array(bytes[..<count])
                // Only padding may be missing: with it, the same comes out.
                let padded = cut + [UInt8](repeating: 0, count: (4 - count % 4) % 4)
                if let event = try? PathEvent(cut.span) { #expect(event == (try? PathEvent(padded.span))) }
                if let endpoint = try? PathManagerMessages.endpoint(cut.span) {
                    #expect(endpoint == (try? PathManagerMessages.endpoint(padded.span)))
                }
                if let limits = try? PathManagerMessages.limits(cut.span) {
                    #expect(limits == (try? PathManagerMessages.limits(padded.span)))
                }
                if count < 4 {
                    #expect(throws: NetlinkSyntaxError.self) { _ = try PathEvent(cut.span) }
                    #expect(throws: NetlinkSyntaxError.self) { _ = try PathManagerMessages.limits(cut.span) }
                }
            }
        }
        // An event that lacks what it is about is no event.
        let bare = Array(Self.subflowClosed[..<12])
        #expect(throws: NetlinkSyntaxError.self) { _ = try PathEvent(bare.span) }
    }

    @Test("random changes do no harm")
    func mutations() {
        var mutations = Mutations(seed: 2)
        for _ in 0..<5000 {
            for original in Self.all {
                let bytes = mutations.mutate(original)
                _ = try? PathEvent(bytes.span)
                _ = try? PathManagerMessages.endpoint(bytes.span)
                _ = try? PathManagerMessages.limits(bytes.span)
                _ = try? SocketDiagnosticsMessages.subflow((bytes + bytes).span)
            }
        }
    }
}
