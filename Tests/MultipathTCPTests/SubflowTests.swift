import CLinux
import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP

@Suite("Subflows and what the kernel counts")
struct SubflowTests {
    private func secondPath() throws {
        try NetworkNamespace.shell("ip mptcp limits set subflows 4 add_addr_accepted 4")
        try NetworkNamespace.shell("ip mptcp endpoint add 127.0.0.2 dev lo subflow")
    }

    @Test("one subflow, with the connection's addresses", arguments: ["127.0.0.1", "::1"])
    func oneSubflow(host: String) throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(host: host)
            try pair.exchange([UInt8](repeating: 7, count: 10_000))
            let subflow = try #require(try pair.client.subflows().first)
            #expect(try pair.client.subflows().count == 1)
            #expect(subflow.local == pair.client.local)
            #expect(subflow.remote == pair.client.remote)
            #expect(subflow.id != nil)
            #expect(subflow.tcp.state == .established)
            #expect(subflow.tcp.roundTripMicroseconds > 0)
            #expect(subflow.tcp.congestionWindow > 0)
            #expect(subflow.tcp.bytesSent >= 10_000)
            #expect(subflow.tcp.bytesReceived >= 10_000)
            let info = try pair.client.info()
            #expect(info.subflowCount == 1)
            #expect(info.bytesSent == 10_000)
            #expect(info.bytesReceived == 10_000)
        }
    }

    @Test("a second subflow is seen by both sides, by the newer way and the older")
    func twoSubflows() throws {
        try NetworkNamespace.run {
            try secondPath()
            let pair = try ConnectedPair()
            let joined = try pair.exchange { try pair.client.info().subflowCount == 2 }
            #expect(joined)
            let seen = try pair.exchange { try pair.server.subflows().count == 2 }
            #expect(seen)

            let subflows = try pair.client.subflows()
            #expect(Set(subflows.map(\.local.host)) == ["127.0.0.1", "127.0.0.2"])
            #expect(Set(subflows.map(\.remote)) == [pair.listener.address])
            #expect(Set(subflows.compactMap(\.id)).count == 2)
            #expect(try pair.client.info().additionalSubflows == 1)
            #expect(Set(try pair.server.subflows().map(\.remote)) == Set(subflows.map(\.local)))

            var reader = SubflowReader()
            #expect(try reader.readOlder(pair.client.raw) == 2)
            #expect((0..<2).map { reader[$0].local } == subflows.map(\.local))
            #expect((0..<2).map { reader[$0].remote } == subflows.map(\.remote))
            #expect(reader[0].id == nil)
            #expect(reader.info == nil)
        }
    }

    @Test("a reader with less room than there are subflows says so, and can be used again")
    func smallReader() throws {
        try NetworkNamespace.run {
            try secondPath()
            let pair = try ConnectedPair()
            _ = try pair.exchange { try pair.client.info().subflowCount == 2 }
            var reader = SubflowReader(capacity: 1)
            #expect(try reader.read(pair.client.raw) == 1)
            #expect(reader.total == 2)
            #expect(reader.info?.subflowCount == 2)

            let plain = try ConnectedPair(clientMultipath: false)
            #expect(try reader.read(plain.client.raw) == 1)
            #expect(reader.total == 1)
            #expect(reader.info == nil)
            #expect(reader[0].local == plain.client.local)
        }
    }

    @Test("after a fallback, and on plain TCP, the one TCP connection is the list", arguments: [true, false])
    func withoutMultipath(clientAsks: Bool) throws {
        try NetworkNamespace.run {
            let pair = try ConnectedPair(clientMultipath: clientAsks, serverMultipath: false)
            try pair.exchange([UInt8](repeating: 1, count: 5000))
            let subflows = try pair.client.subflows()
            #expect(subflows.count == 1)
            #expect(subflows[0].id == nil)
            #expect(subflows[0].local == pair.client.local)
            #expect(subflows[0].remote == pair.client.remote)
            #expect(subflows[0].tcp.bytesAcknowledged >= 5000)
            #expect(subflows[0].tcp.bytesReceived >= 5000)
        }
    }

    @Test("roles: who is backup, and by whose wish", arguments: ["127.0.0.2 dev lo", "127.0.0.2", "::2 dev lo"])
    func roles(endpoint: String) throws {
        try NetworkNamespace.run {
            let isSix = endpoint.hasPrefix("::")
            // Without nodad an IPv6 address may still be tentative when the kernel joins from it, and it does not try again.
            try NetworkNamespace.shell("ip address add \(isSix ? "::2/128 nodad" : "127.0.0.2/8") dev lo")
            try NetworkNamespace.shell("ip mptcp limits set subflows 4")
            try NetworkNamespace.shell("ip mptcp endpoint add \(endpoint) subflow backup id 9")
            let pair = try ConnectedPair(host: isSix ? "::1" : "127.0.0.1")
            let joined = try pair.exchange {
                let isJoined = try pair.client.info().subflowCount == 2
                return try isJoined && pair.server.subflows().count == 2
            }
            try #require(joined)
            let reader = try SubflowRoleReader()
            let subflows = try pair.client.subflows()
            let first = try #require(try reader.role(of: subflows[0]))
            #expect(!first.isBackup && !first.isAdditional && first.localID == 0)
            let second = try #require(try reader.role(of: subflows[1]))
            #expect(second.isBackupByUs && second.isAdditional && second.localID == 9)

            let atServer = try #require(try pair.server.subflows().first { $0.remote == subflows[1].local })
            let mirrored = try #require(try reader.role(of: atServer))
            #expect(mirrored.isBackupByPeer && mirrored.isAdditional && mirrored.remoteID == 9)

            let plain = try ConnectedPair(clientMultipath: false)
            #expect(try reader.role(of: try plain.client.subflows()[0]) == nil)
        }
    }

    @Test("sockets without a connection are errors")
    func noConnection() throws {
        let plain = try Socket.stream(.ipv4, .tcp)
        #expect(throws: Errno.socketNotConnected) { try Subflow.all(of: plain.raw) }
        let unix = try Socket.unixStream()
        #expect(throws: Errno.self) { try Subflow.all(of: unix.raw) }
        #expect(throws: Errno.badFileDescriptor) { try Subflow.all(of: -1) }
        #expect(throws: Errno.badFileDescriptor) { try MultipathInfo.of(-1) }
    }

    @Test("an older kernel's shorter MPTCP_INFO: what it did not fill is nil, at every length")
    func shortInfo() {
        var full = linux_mptcp_info()
        _ = withUnsafeMutableBytes(of: &full) { $0.initializeMemory(as: UInt8.self, repeating: 0x11) }
        for length in 0...MemoryLayout<linux_mptcp_info>.size {
            var short = linux_mptcp_info()
            withUnsafeMutableBytes(of: &short) { target in
                withUnsafeBytes(of: &full) { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
            }
            let info = MultipathInfo(short, length: length)
            #expect((info.localAddressesUsed != nil) == (length >= 41))
            #expect((info.usesChecksums != nil) == (length >= 43))
            #expect((info.retransmits != nil) == (length >= 48))
            #expect((info.bytesSent != nil) == (length >= 64))
            #expect((info.bytesAcknowledged != nil) == (length >= 80))
            #expect((info.totalSubflows != nil) == (length >= 81))
            #expect((info.lastAcknowledgementMilliseconds != nil) == (length >= 96))
            #expect(info.subflowCount == (length >= 81 ? 0x11 : length >= 1 ? 0x12 : 1))
        }
    }
}
