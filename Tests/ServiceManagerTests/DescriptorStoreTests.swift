import Glibc
import LinuxSystem
import SystemPackage
import Testing

@testable import ServiceManager

@Suite struct DescriptorStoreTests {
    @Test func `a socket goes to the service manager with its name, and stays here too`() async {
        await #expect(processExitsWith: .success) {
            let manager = try DatagramReceiver()
            setenv("NOTIFY_SOCKET", manager.path, 1)
            let socket = try Socket.stream(.ipv4, .tcp)
            try socket.listen(backlog: 16)
            #expect(try DescriptorStore.put(socket, named: "imap") == .sent)
            let message = try manager.receive()
            #expect(message.text == "FDSTORE=1\nFDNAME=stored.imap")
            try #require(message.descriptors.count == 1)
            // What arrived is the same socket.
            let copy = Socket(owning: message.descriptors[0])
            #expect(copy.raw != socket.raw)
            #expect(try copy.localAddress() == socket.localAddress())
            #expect(try copy.option(.isListening) == 1)

            #expect(try DescriptorStore.remove(named: "imap") == .sent)
            #expect(try manager.receive().text == "FDSTOREREMOVE=1\nFDNAME=stored.imap")
        }
    }

    @Test func `stored ones are told from those of socket units`() throws {
        let descriptors = try [Socket.unixStream().release(), Socket.unixStream().release()]
        let inherited = InheritedSockets(names: ["web", "stored.imap"], descriptors: descriptors)
        #expect(DescriptorStore.names(in: inherited) == ["imap"])
        #expect(inherited.names.contains(DescriptorStore.inheritedName(of: "imap")))
    }

    @Test(arguments: ["", "a:b", "line\nbreak", "é", String(repeating: "x", count: 249)])
    func `a name that systemd would ignore is refused`(name: String) {
        #expect(throws: DescriptorStoreError.invalidName(name)) { try DescriptorStore.remove(named: name) }
    }
}
