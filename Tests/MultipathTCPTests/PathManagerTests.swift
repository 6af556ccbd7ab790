import LinuxSystem
import SystemPackage
import Testing
import TestNamespace

@testable import MultipathTCP

@Suite("Path manager")
struct PathManagerTests {
    private func address(_ text: String, port: UInt16 = 0) throws -> SocketAddress {
        try SocketAddress(parsing: text, port: port)
    }

    @Test("endpoints are added, listed, changed, removed and flushed; both families")
    func endpoints() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            #expect(try manager.endpoints().isEmpty)
            let first = try manager.add(PathEndpoint(address: try address("192.0.2.1"), flags: .subflow, interface: 1))
            #expect(first.id != 0)
            #expect(first.interface == 1)
            let second = try manager.add(
                PathEndpoint(id: 77, address: try address("::1", port: 5000), flags: [.signal]))
            #expect(second.id == 77)
            #expect(second.address.port == 5000)
            let third = try manager.add(
                PathEndpoint(address: try address("192.0.2.3"), flags: [.subflow, .fullmesh, .backup]))
            #expect(Set(try manager.endpoints()) == [first, second, third])

            try manager.setFlags(.backup, id: first.id)
            #expect(try manager.endpoints().first { $0.id == first.id }?.flags == [.subflow, .backup])
            try manager.setFlags([], id: first.id)
            #expect(try manager.endpoints().first { $0.id == first.id }?.flags == .subflow)

            try manager.remove(id: 77)
            #expect(Set(try manager.endpoints()) == [first, third])
            try manager.removeAll()
            #expect(try manager.endpoints().isEmpty)
        }
    }

    @Test("what the kernel refuses is said in its words")
    func refusals() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            let endpoint = PathEndpoint(address: try address("192.0.2.1"), flags: .subflow)
            try manager.add(endpoint)
            expect(.refused(.addEndpoint, .fileExists, explanation: nil), anyExplanation: true) {
                () throws(PathManagerError) in try manager.add(endpoint)
            }
            let both = PathEndpoint(address: try address("192.0.2.2"), flags: [.signal, .fullmesh])
            expect(.refused(.addEndpoint, .invalidArgument, explanation: nil), anyExplanation: true) {
                () throws(PathManagerError) in try manager.add(both)
            }
            expect(.notFound("endpoint 99")) { () throws(PathManagerError) in try manager.remove(id: 99) }
            expect(.notFound("endpoint 99")) { () throws(PathManagerError) in try manager.setFlags(.backup, id: 99) }
            for number in 2...8 {
                try manager.add(PathEndpoint(address: try address("192.0.2.1\(number)"), flags: .subflow))
            }
            let ninth = PathEndpoint(address: try address("192.0.2.99"), flags: .subflow)
            expect(.tooManyEndpoints) { () throws(PathManagerError) in try manager.add(ninth) }
            #expect(try manager.endpoints().count == PathEndpoint.maximumCount)
        }
    }

    private func expect(
        _ wanted: PathManagerError, anyExplanation: Bool = false, location: SourceLocation = #_sourceLocation,
        _ body: () throws(PathManagerError) -> Void
    ) {
        do throws(PathManagerError) {
            try body()
            Issue.record("no error", sourceLocation: location)
        } catch {
            if anyExplanation, case .refused(let command, let errno, let explanation) = error {
                #expect(
                    wanted == .refused(command, errno, explanation: nil), "\(error)", sourceLocation: location)
                #expect(explanation?.isEmpty == false, "\(error)", sourceLocation: location)
            } else {
                #expect(error == wanted, sourceLocation: location)
            }
        }
    }

    @Test("limits")
    func limits() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            #expect(try manager.limits() == PathLimits(subflows: 2, acceptedAnnouncements: 0))
            try manager.setLimits(PathLimits(subflows: 8, acceptedAnnouncements: 3))
            #expect(try manager.limits() == PathLimits(subflows: 8, acceptedAnnouncements: 3))
            #expect(throws: PathManagerError.self) {
                try manager.setLimits(PathLimits(subflows: 9, acceptedAnnouncements: 0))
            }
            #expect(try manager.limits() == PathLimits(subflows: 8, acceptedAnnouncements: 3))
        }
    }

    @Test("without CAP_NET_ADMIN reading works, and everything else says what it needs")
    func unprivileged() throws {
        try NetworkNamespace.run {
            try NetworkNamespace.shell("ip mptcp endpoint add 192.0.2.1 id 5 subflow")
            try NetworkNamespace.withoutCapabilities {
                var manager = try PathManager()
                #expect(try manager.endpoints().map(\.id) == [5])
                #expect(try manager.limits().subflows == 2)
                let other = PathEndpoint(address: try address("192.0.2.2"), flags: .subflow)
                var errors: [PathManagerError?] = []
                func note(_ body: () throws(PathManagerError) -> Void) {
                    do throws(PathManagerError) {
                        try body()
                        errors.append(nil)
                    } catch {
                        errors.append(error)
                    }
                }
                note { () throws(PathManagerError) in try manager.add(other) }
                note { () throws(PathManagerError) in try manager.remove(id: 5) }
                note { () throws(PathManagerError) in try manager.removeAll() }
                note { () throws(PathManagerError) in try manager.setFlags(.backup, id: 5) }
                note { () throws(PathManagerError) in
                    try manager.setLimits(PathLimits(subflows: 1, acceptedAnnouncements: 1))
                }
                note { () throws(PathManagerError) in _ = try manager.events() }
                note { () throws(PathManagerError) in try manager.withdraw(id: 1, token: 1) }
                for error in errors {
                    guard case .needsNetAdmin = error else {
                        Issue.record("\(String(describing: error))")
                        continue
                    }
                    #expect(error?.description.hasSuffix("needs CAP_NET_ADMIN") == true)
                }
                #expect(try manager.endpoints().map(\.id) == [5])
            }
        }
    }

    @Test("events of a connection with two subflows; one is closed, and the connection lives on")
    func events() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            var events = try manager.events()
            try manager.setLimits(PathLimits(subflows: 4, acceptedAnnouncements: 4))
            let endpoint = try manager.add(
                PathEndpoint(address: try address("127.0.0.2"), flags: .subflow, interface: 1))
            var seen = EventLog()
            let pair = try ConnectedPair()
            let token = try pair.client.info().token
            try pair.exchange()
            let joined = try seen.wait(for: &events) {
                if case .subflowEstablished(let subflow) = $0, subflow.token == token { subflow } else { nil }
            }
            #expect(joined.local.host == "127.0.0.2")
            #expect(joined.remote == pair.listener.address)
            #expect(joined.localID == endpoint.id)
            #expect(joined.interface == 1)
            #expect(joined.error == nil)
            let established = try seen.wait(for: &events) {
                if case .established(let connection) = $0, connection.token == token { connection } else { nil }
            }
            #expect(established.local == pair.client.local)
            #expect(established.remote == pair.client.remote)
            #expect(established.isAccepted != true)
            #expect(seen.events.contains { if case .created(let it) = $0 { it.isAccepted == true } else { false } })
            #expect(seen.events.contains(.listenerCreated(pair.listener.address)))

            // Both ends' subflows are in the diagnostics, with their connections.
            var diagnostics = try SocketDiagnostics()
            let listed = try diagnostics.subflows()
            #expect(listed.count == 4)
            let mine = listed.filter { $0.token == token }
            #expect(Set(mine.map(\.local)) == Set(try pair.client.subflows().map(\.local)))
            #expect(mine.first { $0.local == joined.local }?.localID == endpoint.id)

            // Backup, and no more, is an event at the peer.
            try manager.setFlags(.backup, id: endpoint.id)
            let priority = try seen.wait(for: &events) {
                if case .subflowPriority(let subflow) = $0, subflow.isBackup { subflow } else { nil }
            }
            #expect(priority.remote == joined.local)
            #expect(try diagnostics.subflows().contains { $0.isBackup })

            #expect(try diagnostics.canClose())
            try diagnostics.close(local: joined.local, remote: joined.remote, interface: joined.interface)
            let closed = try seen.wait(for: &events) {
                if case .subflowClosed(let subflow) = $0, subflow.token == token { subflow } else { nil }
            }
            #expect(closed.local == joined.local)
            #expect(closed.error == .connectionAbort)
            #expect(try pair.client.subflows().count == 1)
            try pair.exchange([UInt8](repeating: 9, count: 20_000))
            #expect(pair.client.isMultipath)

            expect(.notFound("subflow \(joined.local) to \(joined.remote)")) { () throws(PathManagerError) in
                try diagnostics.close(local: joined.local, remote: joined.remote)
            }

            // Made again: deleting and adding the endpoint opens the subflow.
            try manager.remove(id: endpoint.id)
            try manager.add(endpoint)
            seen.events.removeAll()
            let again = try seen.wait(for: &events) {
                if case .subflowEstablished(let subflow) = $0, subflow.token == token { subflow } else { nil }
            }
            #expect(again.local.host == "127.0.0.2")
            try pair.exchange()
        }
    }

    @Test("an announced address with a port of its own makes a listener, and is announced")
    func announcement() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            var events = try manager.events()
            var seen = EventLog()
            try manager.setLimits(PathLimits(subflows: 4, acceptedAnnouncements: 4))
            let announced = try address("127.0.0.9", port: 7777)
            let endpoint = try manager.add(PathEndpoint(address: announced, flags: .signal))
            let listener = try seen.wait(for: &events) { if case .listenerCreated(let it) = $0 { it } else { nil } }
            #expect(listener == announced)
            let pair = try ConnectedPair()
            try pair.exchange()
            let event = try seen.wait(for: &events) {
                if case .announced(let token, let id, let address) = $0 { (token, id, address) } else { nil }
            }
            #expect(event.1 == endpoint.id)
            #expect(event.2 == announced)
            try manager.remove(id: endpoint.id)
            let withdrawn = try seen.wait(for: &events) { if case .removed(_, let id) = $0 { id } else { nil } }
            #expect(withdrawn == endpoint.id)
        }
    }

    @Test("the userspace commands: refused under the kernel's path manager, working under the other")
    func userspace() throws {
        try NetworkNamespace.run {
            var manager = try PathManager()
            guard manager.hasUserspaceCommands else { return }
            let inKernel = try ConnectedPair()
            try inKernel.exchange()
            let token = try inKernel.client.info().token
            let local = PathEndpoint(id: 9, address: try address("127.0.0.2"), flags: [], interface: 1)
            #expect(throws: PathManagerError.self) {
                try manager.createSubflow(from: local, to: inKernel.client.remote, token: token)
            }
            expect(.notFound("connection or subflow")) { () throws(PathManagerError) in
                try manager.createSubflow(from: local, to: inKernel.client.remote, token: 1)
            }

            try NetworkNamespace.set("mptcp/pm_type", "1")
            var events = try manager.events()
            var seen = EventLog()
            let pair = try ConnectedPair()
            try pair.exchange()
            let other = try pair.client.info().token
            _ = try seen.wait(for: &events) {
                if case .established(let it) = $0, it.token == other { it } else { nil }
            }
            try manager.createSubflow(from: local, to: pair.client.remote, token: other)
            let joined = try seen.wait(for: &events) {
                if case .subflowEstablished(let it) = $0, it.token == other { it } else { nil }
            }
            #expect(joined.local.host == "127.0.0.2")
            #expect(joined.localID == 9)
            #expect(joined.interface == 1)
            try manager.setBackup(true, from: joined.local, to: joined.remote, token: other)
            let priority = try seen.wait(for: &events) {
                if case .subflowPriority(let it) = $0 { it } else { nil }
            }
            #expect(priority.isBackup)
            #expect(priority.remote == joined.local)
            try manager.destroySubflow(from: joined.local, to: joined.remote, token: other)
            _ = try seen.wait(for: &events) {
                if case .subflowClosed(let it) = $0, it.token == other { it } else { nil }
            }
            try pair.exchange()
            try manager.announce(
                PathEndpoint(id: 10, address: try address("127.0.0.3"), flags: .signal), token: other)
            _ = try seen.wait(for: &events) {
                if case .announced(_, 10, let address) = $0, address.host == "127.0.0.3" { address } else { nil }
            }
            try manager.withdraw(id: 10, token: other)
            _ = try seen.wait(for: &events) { if case .removed(_, 10) = $0 { true } else { nil } }
        }
    }
}

/// The events that have come so far.
struct EventLog {
    var events: [PathEvent] = []

    /// Waits for an event that `match` wants, among those that came before too.
    mutating func wait<Match>(
        for source: inout PathEvents, location: SourceLocation = #_sourceLocation, _ match: (PathEvent) -> Match?
    ) throws -> Match {
        let deadline = MonotonicTime.now() + 5_000_000_000
        while true {
            for event in events { if let found = match(event) { return found } }
            do {
                try Waiting.until(source.raw, .readable, deadline: deadline)
            } catch {
                Issue.record("waited in vain; seen: \(events)", sourceLocation: location)
                throw error
            }
            events += try source.receive()
        }
    }
}
