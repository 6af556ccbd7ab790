import LinuxSystem
import Testing

@testable import MultipathTCP
@testable import Paths

/// Which links are renewed for the sake of connections that lack a subflow.
@Suite("Lost subflows") struct SubflowAuditTests {
    private static let wifi = address([10, 0, 1, 1])
    private static let lte = address([10, 0, 2, 1])
    private static let far = address([192, 0, 2, 1]).with(port: 7143)

    private static func address(_ bytes: [UInt8]) -> SocketAddress {
        SocketAddress(bytes: bytes.span, port: 0) ?? .none
    }

    private static func places(fresh: Bool = false) -> [SubflowAudit.Place] {
        [
            SubflowAudit.Place(link: "wifi", addresses: [wifi], isFresh: fresh),
            SubflowAudit.Place(link: "lte", addresses: [lte], isFresh: fresh),
        ]
    }

    private static func subflow(
        _ token: UInt32, _ local: SocketAddress, state: TCPState = .established, flags: UInt32 = 0x42,
        remote: SocketAddress = far
    ) -> DiagnosedSubflow {
        DiagnosedSubflow(
            token: token, remoteToken: token, localID: 0, remoteID: 0, local: local.with(port: 40000), remote: remote,
            interface: 0, state: state, flags: flags)
    }

    private static func connection(_ token: UInt32, _ state: TCPState = .established) -> DiagnosedConnection {
        DiagnosedConnection(token: token, local: wifi.with(port: 40000), remote: far, state: state)
    }

    /// Seconds after some moment.
    private static func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64((1000 + seconds) * 1e9))
    }

    private struct Look {
        var audit = SubflowAudit()

        mutating func examine(
            _ subflows: [DiagnosedSubflow], _ connections: [DiagnosedConnection], at seconds: Double,
            fresh: Bool = false, limit: Int = 8, own: Set<[UInt8]> = []
        ) -> SubflowAudit.Finding {
            audit.examine(
                subflows, connections, dialled: [7143], places: places(fresh: fresh), own: own, limit: limit,
                now: at(seconds))
        }
    }

    @Test("nothing lacks: nothing is done, and nothing is looked for again")
    func complete() {
        var look = Look()
        let both = [Self.subflow(1, Self.wifi), Self.subflow(1, Self.lte, flags: 0x48)]
        let finding = look.examine(both, [Self.connection(1)], at: 0)
        #expect(finding.renew.isEmpty && finding.next == .never && finding.connections == 1 && finding.missing == 0)
    }

    @Test("what lacks twice in a row is opened, then with longer and longer pauses, and no more once it is there")
    func backsOff() {
        var look = Look()
        let one = [Self.subflow(1, Self.wifi)]
        let first = look.examine(one, [Self.connection(1)], at: 0)
        #expect(first.renew.isEmpty)
        #expect(first.next == Self.at(0) + SubflowAudit.confirmation)
        var times: [Double] = []
        var time = 0.3
        while time < 100 {
            let finding = look.examine(one, [Self.connection(1)], at: time)
            if !finding.renew.isEmpty {
                #expect(finding.renew == ["lte"])
                times.append(time)
            }
            #expect(finding.next > Self.at(time) && finding.next != .never)
            time += 0.25
        }
        #expect(times.count >= 5 && times.count <= 8, "\(times)")
        #expect(zip(times.dropFirst(), times).map(-).allSatisfy { $0 >= 1 }, "\(times)")
        let both = one + [Self.subflow(1, Self.lte, flags: 0x48)]
        #expect(look.examine(both, [Self.connection(1)], at: 101).next == .never)
    }

    @Test("a subflow that is on its way is waited for")
    func pending() {
        var look = Look()
        let joining = [Self.subflow(1, Self.wifi), Self.subflow(1, Self.lte, state: .synSent, flags: 0x08)]
        for time in [0, 0.5, 1] {
            let finding = look.examine(joining, [Self.connection(1)], at: time)
            #expect(finding.renew.isEmpty && finding.missing == 0)
        }
    }

    @Test("a connection whose only subflow is just joining is looked at again, and one that never said anything is not")
    func joining() {
        var look = Look()
        let joining = look.examine([Self.subflow(1, Self.lte, flags: 0x08)], [Self.connection(1)], at: 0)
        #expect(joining.renew.isEmpty && joining.connections == 0)
        #expect(joining.next == Self.at(0) + SubflowAudit.confirmation)
        let joined = [Self.subflow(1, Self.lte, flags: 0x48)]
        #expect(look.examine(joined, [Self.connection(1)], at: 0.3).next == Self.at(0.3) + SubflowAudit.confirmation)
        #expect(look.examine(joined, [Self.connection(1)], at: 0.6).renew == ["wifi"])
        var other = Look()
        #expect(other.examine([Self.subflow(1, Self.lte, flags: 0x02)], [Self.connection(1)], at: 0).next == .never)
    }

    @Test("one that lacks among many that have all waits, so that the many are not disturbed for a moment's sake")
    func disturbsNobodyAtOnce() {
        for fresh in [false, true] {
            var look = Look()
            var subflows = [Self.subflow(99, Self.wifi)]
            for token in UInt32(1)...20 {
                subflows += [Self.subflow(token, Self.wifi), Self.subflow(token, Self.lte, flags: 0x48)]
            }
            let connections = (UInt32(1)...20).map { Self.connection($0) } + [Self.connection(99)]
            _ = look.examine(subflows, connections, at: 0, fresh: fresh)
            let second = look.examine(subflows, connections, at: 0.5, fresh: fresh)
            #expect(second.renew == (fresh ? ["lte"] : []))
            if !fresh { #expect(look.examine(subflows, connections, at: 2.6).renew == ["lte"]) }
        }
    }

    @Test("half-closed, accepted, local and limited connections lack nothing")
    func exceptions() {
        var look = Look()
        let own = Self.wifi.with(port: 7143)
        let subflows = [
            Self.subflow(1, Self.wifi), Self.subflow(2, Self.wifi, flags: 0x41),
            Self.subflow(3, Self.wifi, remote: own),
        ]
        let connections = [Self.connection(1, .closeWait), Self.connection(2), Self.connection(3)]
        for time in [0, 0.5, 1] {
            let finding = look.examine(subflows, connections, at: time, own: [own.bytes])
            #expect(finding.renew.isEmpty && finding.missing == 0, "\(finding)")
        }
        var limited = Look()
        for time in [0, 0.5, 1] {
            #expect(
                limited.examine([Self.subflow(1, Self.wifi)], [Self.connection(1)], at: time, limit: 0).missing == 0)
        }
    }

    @Test("a link that holds a half-closed connection's only subflow is not renewed")
    func pinned() {
        var look = Look()
        // 1 lacks wifi; 2 is half closed and has nothing but wifi.
        let subflows = [Self.subflow(1, Self.lte), Self.subflow(2, Self.wifi)]
        let connections = [Self.connection(1), Self.connection(2, .finWait2)]
        for time in [0, 0.5, 3, 6] { #expect(look.examine(subflows, connections, at: time).renew.isEmpty) }
    }

    @Test("a dialled connection that has lost every subflow lacks all")
    func bare() {
        var look = Look()
        _ = look.examine([], [Self.connection(1)], at: 0)
        #expect(look.examine([], [Self.connection(1)], at: 0.5).renew == ["wifi", "lte"])
    }
}
