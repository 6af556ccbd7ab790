import Lab
import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP
@testable import Paths

extension PathsSuite {
    /// Endpoints that follow real links, and real connections that follow the endpoints.
    @Suite("Endpoint keeper", .serialized)
    struct EndpointKeeperTests {
        private func withTwoLinks(
            _ body: (_ near: Host, _ far: Host, _ links: [Link], _ listener: MultipathListener) throws -> Void
        ) throws {
            try Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let links = try ["wired", "lte"].map {
                    try lab.link(near, far, name: $0, delay: .milliseconds(10))
                }
                for link in links { try near.uplink(link) }
                try far.mptcp()
                let listener = try far.inNamespace {
                    var options = MultipathListener.Options()
                    options.multipath = true
                    return try MultipathListener(on: .any(.ipv4, port: 7143), options)
                }
                try NetworkNamespace.run(inside: near.namespaceDescriptor) { try body(near, far, links, listener) }
            }
        }

        private let configured = [
            ConfiguredLink(name: "wired", target: .interface("wired")),
            ConfiguredLink(name: "lte", target: .interface("lte")),
        ]
        private let limits = PathLimits(subflows: 8, acceptedAnnouncements: 8)

        /// This side's addresses of the subflows that are in use.
        private func established(_ connection: MultipathConnection) throws -> [String] {
            try connection.subflows().filter { $0.tcp.state == .established }.map(\.local.host)
        }

        /// Bytes there and back.
        private func exchange(_ client: MultipathConnection, _ server: MultipathConnection) throws {
            try client.send([1, 2, 3], timeout: .seconds(10))
            #expect(try server.receive(upTo: 3, timeout: .seconds(10)) == [1, 2, 3])
            try server.send([4, 5], timeout: .seconds(10))
            #expect(try client.receive(upTo: 2, timeout: .seconds(10)) == [4, 5])
        }

        @Test("links that go and come: endpoints, subflows and the connection follow; all is restored")
        func follows() throws {
            try withTwoLinks { near, far, links, listener in
                try near.run("ip", "mptcp", "endpoint", "add", "198.51.100.1", "id", "99", "signal")
                var monitor = try LinkMonitor()
                var selector = LinkSelector(configured, exclude: [])
                var keeper = EndpointKeeper(try PathManager(), limits: limits)
                var manager = try PathManager()
                var events = try manager.events()
                let found = try manager.endpoints()
                let foundLimits = try manager.limits()

                let first = try keeper.reconcile(selector.links(in: monitor.table))
                #expect(first.failed.isEmpty)
                #expect(first.notices == [.foreign(found[0])])
                #expect(keeper.kept.count == 4)
                #expect(try manager.limits() == limits)
                #expect(try manager.endpoints().allSatisfy { $0.id == 99 || $0.interface != 0 })
                #expect(try keeper.reconcile(selector.links(in: monitor.table)).done.isEmpty)

                var dialer = MultipathDialer()
                dialer.multipath = true
                let client = try dialer.connect(
                    to: try SocketAddress(parsing: links[0].address(of: far), port: 7143))
                let server = try listener.accept(timeout: .seconds(5))
                try exchange(client, server)
                var seen = Seen()
                let joined = try seen.wait(for: &events) {
                    if case .subflowEstablished(let it) = $0 { it } else { nil }
                }
                #expect(joined.local.host == links[1].address(of: near))

                // The first link loses its carrier: its endpoints, and the first subflow with them, are gone at once.
                let start = MonotonicTime.now()
                try links[0].carrier(down: true)
                try wait(for: &monitor) { $0.interface(named: "wired")?.isUsable == false }
                let report = try keeper.reconcile(selector.links(in: monitor.table))
                #expect(report.failed.isEmpty)
                #expect(report.done.count == 2)
                func elapsed() -> UInt64 { (MonotonicTime.now().nanoseconds - start.nanoseconds) / 1000 }
                let removed = elapsed()
                try client.send([1, 2, 3], timeout: .seconds(10))
                #expect(try server.receive(upTo: 3, timeout: .seconds(10)) == [1, 2, 3])
                let there = elapsed()
                try server.send([4, 5], timeout: .seconds(10))
                #expect(try client.receive(upTo: 2, timeout: .seconds(10)) == [4, 5])
                print(
                    "measured (RTT 20 ms): carrier lost, endpoints removed after \(removed) us,",
                    "bytes at the peer after \(there) us, its bytes back after \(elapsed()) us")
                // The connection's first subflow is shut, but stays in the list until its FIN is acknowledged or given up.
                #expect(try established(client) == [links[1].address(of: near)])

                // And used again when it is back.
                try links[0].carrier(down: false)
                try wait(for: &monitor) { $0.interface(named: "wired")?.isUsable == true }
                let back = MonotonicTime.now()
                #expect(try keeper.reconcile(selector.links(in: monitor.table)).failed.isEmpty)
                let again = try seen.wait(for: &events) {
                    if case .subflowEstablished(let it) = $0, it.local.host == links[0].address(of: near) {
                        it
                    } else {
                        nil
                    }
                }
                let rejoined = (MonotonicTime.now().nanoseconds - back.nanoseconds) / 1000
                print("measured: endpoint added, subflow established after \(rejoined) us (RTT 20 ms)")
                #expect(again.token == joined.token)
                try exchange(client, server)

                // Another manager removes one: told, and added again.
                let lost = try #require(keeper.kept.first { $0.address.host == links[1].address(of: near) })
                try manager.remove(id: lost.id)
                let mended = try keeper.reconcile(selector.links(in: monitor.table))
                #expect(mended.notices == [.removedByOther(lost)])
                #expect(try manager.endpoints().contains(lost))

                #expect(try keeper.restore().failed.isEmpty)
                #expect(try manager.endpoints() == found)
                #expect(try manager.limits() == foundLimits)
            }
        }

        @Test("a lost subflow comes back when its endpoints are renewed; a link can be left and made backup")
        func renewed() throws {
            try withTwoLinks { near, far, links, listener in
                let monitor = try LinkMonitor()
                var selector = LinkSelector(configured, exclude: [])
                var keeper = EndpointKeeper(try PathManager(), limits: limits)
                var events = try PathManager().events()
                let now = selector.links(in: monitor.table)
                _ = try keeper.reconcile(now)
                var dialer = MultipathDialer()
                dialer.multipath = true
                let client = try dialer.connect(
                    to: try SocketAddress(parsing: links[0].address(of: far), port: 7143))
                let server = try listener.accept(timeout: .seconds(5))
                try exchange(client, server)
                var seen = Seen()
                let joined = try seen.wait(for: &events) {
                    if case .subflowEstablished(let it) = $0 { it } else { nil }
                }
                var diagnostics = try SocketDiagnostics()
                try diagnostics.close(local: joined.local, remote: joined.remote)
                _ = try seen.wait(for: &events) { if case .subflowClosed(let it) = $0 { it } else { nil } }
                try exchange(client, server)
                #expect(try client.subflows().count == 1)

                seen.events.removeAll()
                let start = MonotonicTime.now()
                let report = try keeper.renew(now[1])
                #expect(report.failed.isEmpty)
                #expect(report.done.count == 2)
                let called = (MonotonicTime.now().nanoseconds - start.nanoseconds) / 1000
                _ = try seen.wait(for: &events) { if case .subflowEstablished(let it) = $0 { it } else { nil } }
                let took = (MonotonicTime.now().nanoseconds - start.nanoseconds) / 1000
                print("measured: two endpoints reopened in \(called) us, new subflow after \(took) us (RTT 20 ms)")
                try exchange(client, server)

                // Left although it is up, and taken up again.
                #expect(try keeper.reconcile(now, leaving: ["lte"]).done.count == 2)
                #expect(try established(client) == [links[0].address(of: near)])
                #expect(try keeper.reconcile(now).done.count == 2)

                var asBackup = now
                asBackup[1].configured.isBackup = true
                let operations = try keeper.reconcile(asBackup).done
                #expect(operations.count == 2)
                #expect(operations.allSatisfy { if case .setBackup(true, _) = $0 { true } else { false } })
            }
        }

        @Test("a first subflow whose address has no endpoint is closed by its address")
        func initialSubflow() throws {
            try withTwoLinks { near, far, links, listener in
                var manager = try PathManager()
                var events = try manager.events()
                try manager.setLimits(limits)
                let lte = try #require(try LinkMonitor().table.interface(named: "lte"))
                try manager.add(
                    PathEndpoint(
                        address: try SocketAddress(parsing: links[1].address(of: near), port: 0), flags: .subflow,
                        interface: lte.index))
                var dialer = MultipathDialer()
                dialer.multipath = true
                let client = try dialer.connect(
                    to: try SocketAddress(parsing: links[0].address(of: far), port: 7143))
                let server = try listener.accept(timeout: .seconds(5))
                try exchange(client, server)
                var seen = Seen()
                _ = try seen.wait(for: &events) { if case .subflowEstablished(let it) = $0 { it } else { nil } }
                try manager.removeInitialSubflows(from: client.local)
                let closed = try seen.wait(for: &events) { if case .subflowClosed(let it) = $0 { it } else { nil } }
                #expect(closed.local == client.local)
                #expect(closed.localID == 0)
                try exchange(client, server)
                #expect(client.isMultipath)
            }
        }

        @Test("without CAP_NET_ADMIN every operation fails with the same, and nothing else does")
        func unprivileged() throws {
            try withTwoLinks { _, _, _, _ in
                try NetworkNamespace.withoutCapabilities {
                    let monitor = try LinkMonitor()
                    var selector = LinkSelector(configured, exclude: [])
                    var keeper = EndpointKeeper(try PathManager(), limits: limits)
                    let report = try keeper.reconcile(selector.links(in: monitor.table))
                    #expect(report.done.isEmpty)
                    #expect(report.failed.count == 5)
                    for (_, error) in report.failed {
                        guard case .needsNetAdmin = error else {
                            Issue.record("\(error)")
                            continue
                        }
                    }
                    #expect(try keeper.restore().done.isEmpty)
                    var diagnostics = try SocketDiagnostics()
                    #expect(try diagnostics.subflows().isEmpty)
                }
            }
        }

        private func wait(for monitor: inout LinkMonitor, until condition: (LinkTable) -> Bool) throws {
            let deadline = MonotonicTime.now() + 5_000_000_000
            while !condition(monitor.table) {
                try Waiting.until(monitor.raw, .readable, deadline: deadline)
                _ = try monitor.receive()
            }
        }
    }

    /// The events that have come so far.
    private struct Seen {
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
}
