import Lab
import LinuxSystem
import SystemPackage
import TestNamespace
import Testing

@testable import MultipathTCP
@testable import Paths

/// In a lab, one after the other: they switch links and look at what comes of it in time.
@Suite("Paths in a lab", .serialized, .timeLimit(.minutes(2)))
enum PathsSuite {}

extension PathsSuite {
    @Suite("Link monitor", .serialized)
    struct LinkMonitorTests {
        /// Waits for a change that `match` wants.
        private func wait<Match>(
            for monitor: inout LinkMonitor, location: SourceLocation = #_sourceLocation,
            _ match: (LinkChange) -> Match?
        ) throws -> Match {
            let deadline = MonotonicTime.now() + 5_000_000_000
            var seen: [LinkChange] = []
            while true {
                for change in try monitor.receive() {
                    seen.append(change)
                    if let found = match(change) { return found }
                }
                do {
                    try Waiting.until(monitor.raw, .readable, deadline: deadline)
                } catch {
                    Issue.record("waited in vain; seen: \(seen)", sourceLocation: location)
                    throw error
                }
            }
        }

        @Test("carrier down and up, addresses and routes gone and back, all seen")
        func changes() throws {
            try Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                let lte = try lab.link(near, far, name: "lte")
                try NetworkNamespace.run(inside: near.namespaceDescriptor) {
                    var monitor = try LinkMonitor()
                    let interface = try #require(monitor.table.interface(named: "lte"))
                    #expect(interface.isUsable)
                    #expect(interface.mtu == 1500)
                    let hosts = monitor.table.addresses(of: interface.index).filter(\.isUsable).map(\.address.host)
                    #expect(Set(hosts) == [lte.address(of: near), lte.address6(of: near)])
                    #expect(!monitor.table.hasDefaultRoute(interface.index, .ipv4))

                    let start = MonotonicTime.now()
                    try lte.carrier(down: true)
                    let down = try wait(for: &monitor) { change -> NetworkInterface? in
                        if case .interfaceChanged(_, let it) = change, !it.isRunning { it } else { nil }
                    }
                    let took = (MonotonicTime.now().nanoseconds - start.nanoseconds) / 1000
                    print("measured: carrier loss, lab's call included, seen after \(took) us")
                    #expect(down.isUp && down.name == "lte")
                    #expect(monitor.table.interfaces[interface.index]?.isUsable == false)
                    try lte.carrier(down: false)
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .interfaceChanged(_, let it) = change, it.isUsable { true } else { nil }
                    }

                    try near.run(
                        "ip", "route", "add", "default", "via", lte.address(of: far), "dev", "lte", "metric", "7")
                    let route = try wait(for: &monitor) { change -> DefaultRoute? in
                        if case .routeAppeared(let it) = change, it.family == .ipv4 { it } else { nil }
                    }
                    #expect(route.interface == interface.index && route.metric == 7 && route.table == 254)
                    #expect(route.gateway?.host == lte.address(of: far))
                    try near.run("ip", "-6", "route", "add", "default", "via", lte.address6(of: far), "dev", "lte")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .routeAppeared(let it) = change, it.family == .ipv6 { true } else { nil }
                    }

                    // Replaced by another router: the old one is gone without a notice of its own.
                    try near.run(
                        "ip", "route", "replace", "default", "via", "10.0.1.77", "dev", "lte", "metric", "7")
                    let replaced = try wait(for: &monitor) { change -> DefaultRoute? in
                        if case .routeVanished(let it) = change { it } else { nil }
                    }
                    #expect(replaced == route)
                    #expect(
                        monitor.table.routes.filter { $0.family == .ipv4 }.map { $0.gateway?.host } == ["10.0.1.77"])

                    // The kernel says nothing of IPv4 routes that go with their address, or with their interface.
                    try near.run("ip", "address", "del", "\(lte.address(of: near))/24", "dev", "lte")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .addressVanished(let it) = change, it.address.host == lte.address(of: near) {
                            true
                        } else {
                            nil
                        }
                    }
                    #expect(!monitor.table.hasDefaultRoute(interface.index, .ipv4))
                    try near.run("ip", "address", "add", "\(lte.address(of: near))/24", "dev", "lte")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .addressAppeared = change { true } else { nil }
                    }
                    try near.run("ip", "route", "add", "default", "via", lte.address(of: far), "dev", "lte")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .routeAppeared = change { true } else { nil }
                    }
                    try near.run("ip", "link", "set", "lte", "down")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .routeVanished(let it) = change, it.family == .ipv4 { true } else { nil }
                    }
                    #expect(monitor.table.routes.isEmpty)

                    try near.run("ip", "link", "set", "lte", "name", "wwan0")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .interfaceChanged(_, let it) = change, it.name == "wwan0" { true } else { nil }
                    }
                    try near.run("ip", "link", "del", "wwan0")
                    _ = try wait(for: &monitor) { change -> Bool? in
                        if case .interfaceVanished(let it) = change, it.index == interface.index { true } else { nil }
                    }
                    #expect(monitor.table.addresses(of: interface.index).isEmpty)
                    #expect(try monitor.resynchronize().isEmpty, "the notices and a look at everything agree")
                }
            }
        }

        @Test("lost notices cost nothing: the table is right afterwards")
        func overrun() throws {
            try Lab.with { lab in
                let near = try lab.host("near")
                try NetworkNamespace.run(inside: near.namespaceDescriptor) {
                    var monitor = try LinkMonitor()
                    try near.run([
                        "sh", "-c",
                        "seq 2000 | while read n; do echo \"address add 10.9.$((n / 250)).$((n % 250 + 1))/32 dev lo\"; done | ip -batch -",
                    ])
                    var changes: [LinkChange] = []
                    for _ in 0..<10 { changes += try monitor.receive() }
                    let lo = try #require(monitor.table.interface(named: "lo"))
                    #expect(
                        monitor.table.addresses(of: lo.index).filter { $0.address.host.hasPrefix("10.9.") }.count
                            == 2000)
                    #expect(try monitor.resynchronize().isEmpty)
                    #expect(changes.count >= 2000)
                }
            }
        }

        @Test("it needs no rights, and sees nothing of other namespaces")
        func separate() throws {
            try Lab.with { lab in
                let near = try lab.host("near")
                let far = try lab.host("far")
                try NetworkNamespace.run(inside: near.namespaceDescriptor) {
                    var monitor = try LinkMonitor()
                    try far.run("ip", "address", "add", "10.9.9.9/32", "dev", "lo")
                    #expect(try monitor.receive().isEmpty)
                    #expect(monitor.table.interfaces.values.map(\.name) == ["lo"])
                }
            }
        }
    }
}
