import CLinux
import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@Suite("Netlink sockets")
struct NetlinkSocketTests {
    @Test("a family by name, with its commands and groups; one that is not")
    func family() throws {
        var socket = try NetlinkSocket(.generic)
        let family = try NetlinkFamily.named("nlctrl", on: &socket)
        #expect(family.id == 16)
        #expect(family.commands.contains(3))
        #expect(family.groups["notify"] != nil)
        #expect(throws: NetlinkError.self) { _ = try NetlinkFamily.named("no-such-family", on: &socket) }
        do throws(NetlinkError) {
            _ = try NetlinkFamily.named("no-such-family", on: &socket)
        } catch {
            guard case .refused(.noSuchFileOrDirectory, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test("a dump of links; nothing waits afterwards")
    func dump() throws {
        try NetworkNamespace.run {
            var socket = try NetlinkSocket(.route)
            let links = try socket.exchange(
                NetlinkRequest(type: 18, flags: .dump, header: [UInt8](repeating: 0, count: 16)))
            #expect(links.contains { $0.type == 16 })
            #expect(try socket.receive() == nil)
        }
    }

    @Test("notices that are not read overflow, are said to be lost, and reading goes on")
    func overrun() throws {
        try NetworkNamespace.run {
            var socket = try NetlinkSocket(.route)
            try socket.join(group: 1)
            _ = try check(linux_set_option(socket.raw, CInt(LINUX_SOL_SOCKET), CInt(LINUX_SO_RCVBUF), 4096))
            try NetworkNamespace.shell(
                "for i in $(seq 300); do echo link set lo mtu $((1500 + i)); done | ip -batch -")
            var overruns = 0
            while true {
                do throws(NetlinkError) {
                    guard try socket.receive() != nil else { break }
                } catch {
                    #expect(error == .overrun)
                    overruns += 1
                }
            }
            #expect(overruns > 0)
        }
    }
}
