import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP

@Suite("Dialer, listener and connection")
struct DialerTests {
    private func loopback(_ port: UInt16, _ host: String = "127.0.0.1") throws -> SocketAddress {
        try SocketAddress(parsing: host, port: port)
    }

    @Test("nobody listens: the address and the reason", arguments: [true, false])
    func refused(multipath: Bool) throws {
        try NetworkNamespace.run {
            var dialer = MultipathDialer()
            dialer.multipath = multipath
            let address = try loopback(7)
            let error = try #require(throws: DialError.self) { try dialer.connect(to: address) }
            #expect(error == .failed([DialAttempt(address: address, error: .connectionRefused)]))
            #expect(error.description == "127.0.0.1:7: Connection refused")
        }
    }

    @Test("an address that refuses gives way to the next at once")
    func nextAddress() throws {
        try NetworkNamespace.run {
            let listener = try MultipathListener(on: try loopback(0))
            var dialer = MultipathDialer()
            dialer.stagger = .seconds(60)
            let addresses = [try loopback(7), try loopback(listener.address.port, "::1"), listener.address]
            #expect(try dialer.connect(toAnyOf: addresses).remote == listener.address)
        }
    }

    @Test("an address that is silent gives way after the stagger")
    func silentAddress() throws {
        try NetworkNamespace.run {
            try NetworkNamespace.shell("nft add table inet path")
            try NetworkNamespace.shell("nft add chain inet path in '{ type filter hook input priority 0; }'")
            try NetworkNamespace.shell("nft add rule inet path in ip daddr 127.0.0.9 drop")
            let listener = try MultipathListener(on: try loopback(0))
            var dialer = MultipathDialer()
            dialer.multipath = true
            dialer.stagger = .milliseconds(20)
            let silent = try loopback(listener.address.port, "127.0.0.9")
            #expect(try dialer.connect(toAnyOf: [silent, listener.address]).remote == listener.address)

            dialer.timeout = .milliseconds(50)
            #expect(throws: DialError.timedOut([])) { try dialer.connect(to: silent) }

            let cancellation = try EventCounter()
            cancellation.raise()
            dialer.timeout = .seconds(60)
            dialer.cancellation = cancellation.descriptor.raw
            #expect(throws: DialError.canceled) { try dialer.connect(to: silent) }
        }
    }

    @Test("a source address is bound, and leaves only addresses of its family")
    func source() throws {
        try NetworkNamespace.run {
            let listener = try MultipathListener(on: try loopback(0))
            var dialer = MultipathDialer()
            dialer.source = try loopback(0, "127.0.0.5")
            #expect(try dialer.connect(to: listener.address).local.host == "127.0.0.5")
            let six = try loopback(listener.address.port, "::1")
            #expect(throws: DialError.failed([])) { try dialer.connect(to: six) }
        }
    }

    @Test("no address at all is a failure, not a wait")
    func noAddress() {
        #expect(throws: DialError.failed([])) { try MultipathDialer().connect(toAnyOf: []) }
    }

    @Test("names: numeric, local, and one that does not exist")
    func names() throws {
        #expect(try NameLookup.addresses(of: "192.0.2.1", port: 5) == [try loopback(5, "192.0.2.1")])
        #expect(try NameLookup.addresses(of: "2001:db8::1", port: 5) == [try loopback(5, "2001:db8::1")])
        #expect(try NameLookup.addresses(of: "localhost", port: 5).contains { $0.isLoopback })
        let host = "no such name"
        let error = try #require(throws: DialError.self) { try NameLookup.addresses(of: host, port: 5) }
        #expect(error.description.hasPrefix("no such name: "))
    }

    @Test("families take turns, the system's favourite first")
    func interleaving() throws {
        let (a, b, c) = (try loopback(1), try loopback(2), try loopback(3))
        let (x, y) = (try loopback(1, "::1"), try loopback(2, "::1"))
        #expect(NameLookup.interleaved([x, y, a, b, c]) == [x, a, y, b, c])
        #expect(NameLookup.interleaved([a, x, y]) == [a, x, y])
        #expect(NameLookup.interleaved([]) == [])
    }

    @Test("accept and receive end by time, and by cancellation")
    func waits() throws {
        try NetworkNamespace.run {
            let cancellation = try EventCounter()
            var options = MultipathListener.Options()
            options.multipath = true
            options.cancellation = cancellation.descriptor.raw
            let listener = try MultipathListener(on: try loopback(0), options)
            #expect(throws: Errno.timedOut) { try listener.accept(timeout: .milliseconds(5)) }
            let client = try MultipathDialer().connect(to: listener.address)
            let server = try listener.accept()
            #expect(throws: Errno.timedOut) { try server.receive(upTo: 1, timeout: .milliseconds(5)) }
            cancellation.raise()
            #expect(throws: Errno.canceled) { try server.receive(upTo: 1) }
            #expect(throws: Errno.canceled) { try listener.accept() }
            #expect(throws: Errno.timedOut) { try client.receive(upTo: 1, timeout: .zero) }
        }
    }

    @Test("a peer that never reads: sending ends by time")
    func neverReads() throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair()
            let much = [UInt8](repeating: 0, count: 64 << 20)
            #expect(throws: Errno.timedOut) { try pair.client.send(much, timeout: .milliseconds(200)) }
        }
    }

    @Test("half-close: what is sent after the peer's end still arrives", arguments: [true, false])
    func halfClose(multipath: Bool) throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(clientMultipath: multipath)
            try pair.client.send(Array("question".utf8))
            try pair.client.finishSending()
            #expect(try ConnectedPair.receive(100, pair.server) == Array("question".utf8))
            try pair.server.send(Array("answer".utf8))
            try pair.server.finishSending()
            #expect(try ConnectedPair.receive(100, pair.client) == Array("answer".utf8))
        }
    }

    @Test("a reset arrives as one", arguments: [true, false])
    func reset(multipath: Bool) throws {
        try NetworkNamespace.run {
            var dialer = MultipathDialer()
            dialer.multipath = multipath
            var options = MultipathListener.Options()
            options.multipath = true
            let listener = try MultipathListener(on: try loopback(0), options)
            let client = try dialer.connect(to: listener.address)
            do {
                let server = try listener.accept(timeout: .seconds(5))
                server.resetOnClose()
            }
            #expect(throws: Errno.connectionReset) { try client.receive(upTo: 1, timeout: .seconds(5)) }
        }
    }

    @Test("an address in use, and one that is not ours")
    func listenErrors() throws {
        try NetworkNamespace.run {
            let first = try MultipathListener(on: try loopback(0))
            #expect(throws: Errno.addressInUse) { try MultipathListener(on: first.address) }
            let foreign = try loopback(0, "192.0.2.1")
            #expect(throws: Errno.addressNotAvailable) { try MultipathListener(on: foreign) }
        }
    }

    @Test("one dual-stack listener for both families; ipv6Only keeps IPv4 out")
    func dualStack() throws {
        try NetworkNamespace.run {
            var options = MultipathListener.Options()
            options.multipath = true
            let both = try MultipathListener(on: .any(.ipv6, port: 0), options)
            var dialer = MultipathDialer()
            dialer.multipath = true
            let four = try dialer.connect(to: try loopback(both.address.port))
            let accepted = try both.accept(timeout: .seconds(5))
            #expect(accepted.remote == four.local)
            #expect(accepted.isMultipath)

            options.ipv6Only = true
            let six = try MultipathListener(on: .any(.ipv6, port: 0), options)
            let port = six.address.port
            #expect(throws: DialError.self) { try dialer.connect(to: try loopback(port)) }
        }
    }
}
