import LinuxSystem
import SystemPackage
import Testing

@testable import Forwarding

/// Which link and address a dial tries next.
@Suite struct DialOrderTests {
    private func order(_ dial: borrowing Dial, _ count: Int) -> [(link: Int8, address: Int)] {
        var order: [(link: Int8, address: Int)] = []
        for position in 0..<count { order.append(dial.candidate(position)) }
        return order
    }

    @Test func theBestAddressIsTriedOverEveryLinkBeforeTheNextAddress() {
        var dial = Dial()
        dial.linkOrder = [1, 0, 2]
        let order = order(dial, 9)
        #expect(order.map(\.link) == [1, 0, 2, 1, 0, 2, 1, 0, 2])
        #expect(order.map(\.address) == [0, 0, 0, 1, 1, 1, 2, 2, 2])
    }

    @Test func withoutLinksItIsOneAddressAfterTheOther() {
        let order = order(Dial(), 3)
        #expect(order.map(\.link) == [-1, -1, -1])
        #expect(order.map(\.address) == [0, 1, 2])
    }

    @Test func everyLinkThatHasAnEndpointHasAPlace() throws {
        var dial = Dial()
        for link in 0..<8 {
            let socket = try Socket.stream(.ipv4, .tcp)
            let place = dial.add(socket.release(), address: 0, link: Int8(link), isMultipath: false, now: .now())
            #expect(place == link)
        }
        let full = dial.hasRoom
        #expect(!full)
        dial.cancel(3)
        let (hasRoom, inFlight) = (dial.hasRoom, dial.inFlight)
        #expect(hasRoom && inFlight == 7)
    }

    @Test func theRoutingTableSaysWhichAddressItUses() throws {
        let here = try SocketAddress(parsing: "127.0.0.1", port: 9)
        #expect(LocalAddress.source(for: here) == here.with(port: 0))
        #expect(LocalAddress.isOwn(here))
        let elsewhere = try SocketAddress(parsing: "192.0.2.1", port: 9)
        #expect(!LocalAddress.isOwn(elsewhere))
    }
}
