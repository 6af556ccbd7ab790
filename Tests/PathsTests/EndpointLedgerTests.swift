import LinuxSystem
import MultipathTCP
import Testing

@testable import Paths

/// Always the same numbers for a seed.
private struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

@Suite("Which endpoints to add, change and remove")
struct EndpointLedgerTests {
    /// A kernel that does as it is told.
    private struct Kernel {
        var endpoints: [PathEndpoint] = []
        var limits = PathLimits(subflows: 2, acceptedAnnouncements: 0)

        mutating func perform(_ operation: EndpointOperation) -> PathEndpoint? {
            switch operation {
            case .remove(let endpoint): endpoints.removeAll { $0.id == endpoint.id }
            case .setBackup(let isBackup, let endpoint):
                guard let place = endpoints.firstIndex(where: { $0.id == endpoint.id }) else { return nil }
                if isBackup {
                    endpoints[place].flags.insert(.backup)
                } else {
                    endpoints[place].flags.remove(.backup)
                }
            case .reopen: break
            case .setLimits(let limits): self.limits = limits
            case .add(var endpoint):
                if endpoint.id == 0 || endpoints.contains(where: { $0.id == endpoint.id }) {
                    endpoint.id = (1...255).first { id in !endpoints.contains { $0.id == id } } ?? 0
                }
                endpoints.append(endpoint)
                return endpoint
            }
            return nil
        }
    }

    private static let limits = PathLimits(subflows: 8, acceptedAnnouncements: 8)

    private func wanted(_ hosts: String..., flags: EndpointFlags = .subflow) throws -> [WantedEndpoint] {
        try hosts.enumerated().map { number, host in
            WantedEndpoint(
                link: "link\(number)",
                endpoint: PathEndpoint(
                    address: try SocketAddress(parsing: host, port: 0), flags: flags, interface: UInt32(number + 2)))
        }
    }

    private func settle(
        _ ledger: inout EndpointLedger, _ kernel: inout Kernel, _ wanted: [WantedEndpoint], at seconds: UInt64 = 0
    ) -> EndpointLedger.Plan {
        let plan = ledger.plan(
            wanted: wanted, limits: Self.limits, endpoints: kernel.endpoints, current: kernel.limits,
            now: Self.at(seconds))
        for operation in plan.operations { ledger.did(operation, made: kernel.perform(operation)) }
        return plan
    }

    /// Seconds after some moment.
    private static func at(_ seconds: UInt64) -> MonotonicTime {
        MonotonicTime(nanoseconds: (100_000 + seconds) * 1_000_000_000)
    }

    private func restore(_ ledger: EndpointLedger, _ kernel: inout Kernel) {
        for operation in ledger.restoration(endpoints: kernel.endpoints, current: kernel.limits) {
            _ = kernel.perform(operation)
        }
    }

    @Test("from nothing: limits and endpoints; then nothing to do; at the end nothing is left")
    func fromNothing() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let wanted = try wanted("192.0.2.1", "2001:db8::1")
        let plan = settle(&ledger, &kernel, wanted)
        #expect(plan.notices.isEmpty)
        #expect(plan.operations == [.setLimits(Self.limits)] + wanted.map { .add($0.endpoint) })
        #expect(settle(&ledger, &kernel, wanted) == EndpointLedger.Plan())
        #expect(Set(ledger.kept) == Set(kernel.endpoints))
        restore(ledger, &kernel)
        #expect(kernel.endpoints.isEmpty)
        #expect(kernel.limits == PathLimits(subflows: 2, acceptedAnnouncements: 0))
    }

    @Test("a link that goes and comes back: removed and added, with the same id")
    func goesAndComes() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let both = try wanted("192.0.2.1", "192.0.3.1")
        _ = settle(&ledger, &kernel, both)
        let before = kernel.endpoints
        let plan = settle(&ledger, &kernel, [both[1]])
        #expect(plan.operations == [.remove(before[0])])
        #expect(plan.notices.isEmpty)
        #expect(kernel.endpoints == [before[1]])
        _ = settle(&ledger, &kernel, both, at: 10)
        #expect(Set(kernel.endpoints) == Set(before))
        _ = settle(&ledger, &kernel, [])
        #expect(kernel.endpoints.isEmpty)
        restore(ledger, &kernel)
        #expect(kernel.endpoints.isEmpty)
    }

    @Test("an id that nobody has, as long as there is one")
    func freshIDs() throws {
        var ledger = EndpointLedger()
        let address = try SocketAddress(parsing: "192.0.2.1", port: 0)
        let all = (1...255).map { PathEndpoint(id: UInt8($0), address: address, flags: .subflow) }
        #expect(ledger.freshID([]) == 1)
        #expect(ledger.freshID([]) == 2)
        #expect(ledger.freshID(all.filter { $0.id != 2 }) == 2)
        #expect(ledger.freshID(all.filter { $0.id != 1 && $0.id != 255 }) == 255)
        #expect(ledger.freshID(all.filter { $0.id != 1 && $0.id != 255 }) == 1)
        #expect(ledger.freshID(all) == 0)
    }

    @Test("what is right already is taken over, also while its link is away; and it is there again at the end")
    func adopted() throws {
        let wanted = try wanted("192.0.2.1")
        var present = wanted[0].endpoint
        present.id = 42
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        kernel.endpoints = [present]
        kernel.limits = Self.limits
        #expect(settle(&ledger, &kernel, wanted) == EndpointLedger.Plan())
        #expect(settle(&ledger, &kernel, []).operations == [.remove(present)])
        #expect(kernel.endpoints.isEmpty)
        var copy = kernel
        restore(ledger, &copy)
        #expect(copy.endpoints == [present])
        #expect(settle(&ledger, &kernel, wanted, at: 10).operations == [.add(present)])
        restore(ledger, &kernel)
        #expect(kernel.endpoints == [present])
        #expect(kernel.limits == Self.limits)
    }

    @Test("what is nearly right is changed, and changed back at the end")
    func changed() throws {
        let wanted = try wanted("192.0.2.1", "192.0.3.1")
        var withoutDevice = wanted[0].endpoint
        (withoutDevice.id, withoutDevice.interface) = (7, 0)
        var backup = wanted[1].endpoint
        (backup.id, backup.flags) = (8, [.subflow, .backup])
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        kernel.endpoints = [withoutDevice, backup]
        let plan = settle(&ledger, &kernel, wanted)
        #expect(plan.operations.contains(.setBackup(false, backup)))
        #expect(plan.operations.contains(.remove(withoutDevice)))
        #expect(Set(kernel.endpoints.map(\.interface)) == [2, 3])
        #expect(settle(&ledger, &kernel, wanted) == EndpointLedger.Plan())
        restore(ledger, &kernel)
        #expect(Set(kernel.endpoints) == [withoutDevice, backup])
    }

    @Test("somebody else's endpoints are left alone, told once, and take their room")
    func foreign() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        for number in 1...6 {
            kernel.endpoints.append(
                PathEndpoint(
                    id: UInt8(number), address: try SocketAddress(parsing: "198.51.100.\(number)", port: 0),
                    flags: .signal))
        }
        let others = kernel.endpoints
        let wanted = try wanted("192.0.2.1", "192.0.3.1", "192.0.4.1")
        let plan = settle(&ledger, &kernel, wanted)
        #expect(plan.notices.filter { if case .foreign = $0 { true } else { false } }.count == 6)
        #expect(plan.notices.contains(.noRoom(link: "link2", address: wanted[2].endpoint.address)))
        #expect(kernel.endpoints.count == 8)
        #expect(settle(&ledger, &kernel, wanted) == EndpointLedger.Plan())
        kernel.endpoints.removeAll { $0.id == 6 }
        let next = settle(&ledger, &kernel, wanted)
        #expect(next.notices == [.foreignVanished(others[5])])
        #expect(next.operations == [.add(wanted[2].endpoint)])
        restore(ledger, &kernel)
        #expect(kernel.endpoints == Array(others[..<5]))
    }

    @Test("a more important link takes the place of a less important one")
    func displaced() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let hosts = (1...9).map { "192.0.\($0).1" }
        let all = try hosts.map { try wanted($0)[0] }
        _ = settle(&ledger, &kernel, Array(all[1...]))
        #expect(kernel.endpoints.count == 8)
        let plan = settle(&ledger, &kernel, all)
        #expect(plan.notices == [.noRoom(link: "link0", address: all[8].endpoint.address)])
        #expect(Set(kernel.endpoints.map(\.address)) == Set(all[..<8].map(\.endpoint.address)))
    }

    @Test("what somebody else undoes is done again, with a pause that grows")
    func contested() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let wanted = try wanted("192.0.2.1")
        _ = settle(&ledger, &kernel, wanted)
        let ours = kernel.endpoints[0]
        for _ in 0..<2 {
            kernel.endpoints = []
            let plan = settle(&ledger, &kernel, wanted)
            #expect(plan.notices == [.removedByOther(ours)])
            #expect(kernel.endpoints == [ours])
        }
        var time: UInt64 = 0
        for pause: UInt64 in [2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            kernel.endpoints = []
            let plan = settle(&ledger, &kernel, wanted, at: time)
            #expect(plan.notices == [.contested(ours, pause: pause * 1_000_000_000)])
            #expect(plan.operations.isEmpty && kernel.endpoints.isEmpty)
            #expect(plan.retry == Self.at(time + pause))
            // Told once, and nothing is done before its time.
            let again = settle(&ledger, &kernel, wanted, at: time + 1)
            #expect(again.notices.isEmpty && again.operations.isEmpty && again.retry == plan.retry)
            time += pause
            #expect(settle(&ledger, &kernel, wanted, at: time).operations == [.add(ours)])
        }
        // Peace makes it forgotten.
        kernel.endpoints = []
        #expect(settle(&ledger, &kernel, wanted, at: time + 1000).notices == [.removedByOther(ours)])
        #expect(kernel.endpoints == [ours])
    }

    @Test("limits that somebody else changes are changed back, and contested ones after a pause")
    func contestedLimits() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let wanted = try wanted("192.0.2.1")
        _ = settle(&ledger, &kernel, wanted)
        let theirs = PathLimits(subflows: 1, acceptedAnnouncements: 1)
        for _ in 0..<2 {
            kernel.limits = theirs
            #expect(settle(&ledger, &kernel, wanted).notices == [.limitsChangedByOther(theirs)])
            #expect(kernel.limits == Self.limits)
        }
        kernel.limits = theirs
        let plan = settle(&ledger, &kernel, wanted)
        #expect(plan.notices == [.limitsChangedByOther(theirs)])
        #expect(plan.operations.isEmpty && plan.retry == Self.at(2))
        #expect(settle(&ledger, &kernel, wanted, at: 1).notices.isEmpty)
        #expect(settle(&ledger, &kernel, wanted, at: 2).operations == [.setLimits(Self.limits)])
    }

    @Test("a refused operation is planned again")
    func refused() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let wanted = try wanted("192.0.2.1")
        for _ in 0..<3 {
            // The kernel does nothing.
            let plan = ledger.plan(
                wanted: wanted, limits: Self.limits, endpoints: kernel.endpoints, current: kernel.limits,
                now: Self.at(0))
            #expect(plan.operations == [.setLimits(Self.limits), .add(wanted[0].endpoint)] && plan.notices.isEmpty)
        }
        _ = settle(&ledger, &kernel, wanted)
        #expect(kernel.limits == Self.limits && kernel.endpoints.count == 1)
    }

    @Test("the kernel's own endpoints are none of anybody's business")
    func implicit() throws {
        var (ledger, kernel) = (EndpointLedger(), Kernel())
        let wanted = try wanted("192.0.2.1")
        var own = wanted[0].endpoint
        (own.id, own.flags, own.interface) = (9, .implicit, 0)
        kernel.endpoints = [own]
        let plan = settle(&ledger, &kernel, wanted)
        #expect(plan.notices.isEmpty)
        #expect(plan.operations.last == .add(wanted[0].endpoint))
    }

    @Test("from any state to any other the kernel has what is wanted, and what was found at the end")
    func anyStates() throws {
        var random = SeededRandom(state: 4)
        for _ in 0..<300 {
            var (ledger, kernel) = (EndpointLedger(), Kernel())
            let pool = try (1...6).map { try wanted("192.0.\($0).1", flags: [.subflow])[0] }
            for want in pool where Bool.random(using: &random) {
                var endpoint = want.endpoint
                endpoint.id = UInt8(kernel.endpoints.count + 20)
                if Bool.random(using: &random) { endpoint.flags.insert(.backup) }
                if Bool.random(using: &random) { endpoint.interface = 0 }
                kernel.endpoints.append(endpoint)
            }
            let found = Set(kernel.endpoints)
            for _ in 0..<5 {
                let wanted = pool.filter { _ in Bool.random(using: &random) }
                let left = kernel.endpoints.filter { endpoint in !ledger.kept.contains { $0 == endpoint } }
                _ = settle(&ledger, &kernel, wanted)
                for want in wanted {
                    let have = kernel.endpoints.first { $0.key == want.endpoint.key }
                    #expect(have?.flags == want.endpoint.flags && have?.interface == want.endpoint.interface)
                }
                for endpoint in left where !wanted.contains(where: { $0.endpoint.key == endpoint.key }) {
                    #expect(kernel.endpoints.contains(endpoint), "not ours")
                }
                #expect(settle(&ledger, &kernel, wanted) == EndpointLedger.Plan())
            }
            restore(ledger, &kernel)
            #expect(Set(kernel.endpoints) == found)
        }
    }
}
