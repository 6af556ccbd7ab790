public import LinuxSystem
public import MultipathTCP

/// What Braid knows about the kernel's endpoints and limits: which it added, which it found and took over, which are somebody
/// else's. From that and the present state follows what to do. It does no I/O; `EndpointKeeper` carries out what it says.
///
/// What was right already is taken over as it is. What somebody else added for an address that no link has is left alone.
/// At the end, `restoration` brings back what was found.
public struct EndpointLedger: Sendable {
    /// What to do now, in this order, and what to tell.
    public struct Plan: Sendable, Equatable {
        /// Removals first: they free what is stuck on a dead link.
        public var operations: [EndpointOperation] = []
        /// Each is told once.
        public var notices: [EndpointNotice] = []
        /// When to plan again although nothing changed: what somebody else undid again and again is left alone until then.
        public var retry = MonotonicTime.never
    }

    /// How often somebody else undid something, and until when it is left alone for that.
    struct Contest: Sendable, Equatable {
        var losses = 0
        var lost = MonotonicTime(nanoseconds: 0)
        var restsUntil = MonotonicTime(nanoseconds: 0)

        /// It was undone once more.
        ///
        /// - Returns: how long it is left alone now; `nil` when it is done again at once.
        @discardableResult
        mutating func lose(_ now: MonotonicTime) -> UInt64? {
            losses = now.since(lost) > EndpointLedger.memory ? 1 : losses + 1
            lost = now
            guard losses >= EndpointLedger.patience else { return nil }
            let doublings = UInt64(min(losses - EndpointLedger.patience, 16))
            let pause = min(EndpointLedger.firstPause << doublings, EndpointLedger.longestPause)
            restsUntil = now + pause
            return pause
        }
    }

    /// One address that Braid keeps, or has kept.
    struct Entry: Sendable, Equatable {
        /// What the kernel should have now; `nil` when nothing.
        var present: PathEndpoint?
        /// What was there before Braid came; `nil` when nothing.
        var found: PathEndpoint?
        /// The id it had last, which it gets again if it can: then it is the same endpoint in every list.
        var id: UInt8 = 0
        /// Whether somebody else undoes it.
        var contest = Contest()
    }

    /// By the address without its port.
    private(set) var entries: [SocketAddress: Entry] = [:]
    private(set) var foreign: [PathEndpoint] = []
    private var foundLimits: PathLimits?
    private var setLimits: PathLimits?
    /// The limits were as wanted when it was looked last.
    private var limitsHold = false
    private var limitsContest = Contest()
    private var withoutRoom: Set<SocketAddress> = []
    /// The last id that was chosen here.
    private var lastID: UInt8 = 0

    /// After so many losses what somebody else undoes is left alone for a while, …
    static let patience = 3
    /// … at first so long, …
    static let firstPause: UInt64 = 2_000_000_000
    /// … at the end so long.
    static let longestPause: UInt64 = 300_000_000_000
    /// What was left in peace for so long begins anew.
    static let memory: UInt64 = 900_000_000_000

    /// A ledger of nothing.
    public init() {}

    /// The endpoints that are kept now.
    public var kept: [PathEndpoint] { entries.values.compactMap(\.present) }

    /// What to do so that the kernel has what is wanted.
    ///
    /// - Parameters:
    ///   - wanted: the endpoints that the links call for, the most important first.
    ///   - limits: the limits that the configuration calls for.
    ///   - endpoints: what the kernel has.
    ///   - current: the kernel's limits.
    ///   - now: the time.
    public mutating func plan(
        wanted: [WantedEndpoint], limits: PathLimits, endpoints: [PathEndpoint], current: PathLimits,
        now: MonotonicTime
    ) -> Plan {
        var plan = Plan()
        let isFirst = foundLimits == nil
        noticeLosses(endpoints, now, &plan)
        let wantedAddresses = Set(wanted.map(\.endpoint.key))
        noticeForeign(endpoints, wantedAddresses, &plan)
        // First what is to go.
        for endpoint in endpoints where !endpoint.flags.contains(.implicit) {
            guard entries[endpoint.key]?.present != nil, !wantedAddresses.contains(endpoint.key) else { continue }
            plan.operations.append(.remove(endpoint))
        }
        planLimits(limits, current, isFirst, now, &plan)
        var room = PathEndpoint.maximumCount - foreign.count
        var crowded: Set<SocketAddress> = []
        var additions: [EndpointOperation] = []
        for want in wanted {
            let present = endpoints.first { $0.key == want.endpoint.key && !$0.flags.contains(.implicit) }
            guard room > 0 else {
                crowded.insert(want.endpoint.key)
                if !withoutRoom.contains(want.endpoint.key) {
                    plan.notices.append(.noRoom(link: want.link, address: want.endpoint.address))
                }
                // What is less important gives its place up.
                if let present, entries[want.endpoint.key]?.present != nil { plan.operations.append(.remove(present)) }
                continue
            }
            let rest = entries[want.endpoint.key, default: Entry()].contest.restsUntil
            if rest > now {
                plan.retry = min(plan.retry, rest)
                if present != nil { room -= 1 }
                continue
            }
            room -= 1
            keep(want.endpoint, present, &plan, &additions)
        }
        withoutRoom = crowded
        plan.operations += additions
        return plan
    }

    /// An id that no endpoint has had for long, for one that was taken out a moment ago.
    ///
    /// When an endpoint is removed, the peers of its connections are told so (REMOVE_ADDR, RFC 8684 section 3.4.2), over a link
    /// that may be slower than the one that is used again: what arrives after the new subflow closes it, if it has the same id.
    ///
    /// - Parameter endpoints: what the kernel has.
    public mutating func freshID(_ endpoints: [PathEndpoint]) -> UInt8 {
        let taken = Set(endpoints.map(\.id)).union(entries.values.map(\.id))
        if lastID == 0 { lastID = taken.max() ?? 0 }
        for step in 0..<255 {
            let id = UInt8((Int(lastID) + step) % 255 + 1)
            guard !taken.contains(id) else { continue }
            lastID = id
            return id
        }
        return 0
    }

    private mutating func keep(
        _ wanted: PathEndpoint, _ present: PathEndpoint?, _ plan: inout Plan, _ additions: inout [EndpointOperation]
    ) {
        var entry = entries[wanted.key] ?? Entry()
        guard let present else {
            // The id it had is free, unless somebody took it; then the kernel says so and chooses another.
            var again = wanted
            again.id = entry.id
            entries[wanted.key] = entry
            additions.append(.add(again))
            return
        }
        if entry.present == nil, entry.found == nil { entry.found = present }
        entry.present = present
        entry.id = present.id
        entries[wanted.key] = entry
        guard present.isSameButBackup(as: wanted) else {
            plan.operations.append(.remove(present))
            additions.append(.add(wanted))
            return
        }
        let isBackup = wanted.flags.contains(.backup)
        if present.flags.contains(.backup) != isBackup { plan.operations.append(.setBackup(isBackup, present)) }
    }

    private mutating func planLimits(
        _ limits: PathLimits, _ current: PathLimits, _ isFirst: Bool, _ now: MonotonicTime, _ plan: inout Plan
    ) {
        if isFirst { foundLimits = current }
        if current == limits {
            limitsHold = true
            return
        }
        if limitsHold {
            limitsHold = false
            limitsContest.lose(now)
            plan.notices.append(.limitsChangedByOther(current))
        }
        guard limitsContest.restsUntil <= now else {
            plan.retry = min(plan.retry, limitsContest.restsUntil)
            return
        }
        plan.operations.append(.setLimits(limits))
    }

    /// What was kept and is not there any more, or not as it was.
    private mutating func noticeLosses(_ endpoints: [PathEndpoint], _ time: MonotonicTime, _ plan: inout Plan) {
        for (key, entry) in entries.sorted(by: { $0.key.description < $1.key.description }) {
            guard let kept = entry.present else { continue }
            let now = endpoints.first { $0.key == key && !$0.flags.contains(.implicit) }
            if now == kept { continue }
            var entry = entry
            let pause = entry.contest.lose(time)
            entry.present = now
            entries[key] = entry
            if let pause {
                plan.notices.append(.contested(kept, pause: pause))
            } else {
                plan.notices.append(now.map(EndpointNotice.changedByOther) ?? .removedByOther(kept))
            }
        }
    }

    private mutating func noticeForeign(
        _ endpoints: [PathEndpoint], _ wanted: Set<SocketAddress>, _ plan: inout Plan
    ) {
        let now = endpoints.filter {
            !$0.flags.contains(.implicit) && entries[$0.key]?.present == nil && !wanted.contains($0.key)
        }
        plan.notices += now.filter { !foreign.contains($0) }.map(EndpointNotice.foreign)
        plan.notices += foreign.filter { old in !endpoints.contains { $0.key == old.key } }
            .map(EndpointNotice.foreignVanished)
        foreign = now
    }

    // MARK: What was done

    /// Notes that an operation succeeded.
    ///
    /// - Parameter made: what the kernel made of an `add`.
    public mutating func did(_ operation: EndpointOperation, made: PathEndpoint? = nil) {
        switch operation {
        case .remove(let endpoint): entries[endpoint.key]?.present = nil
        case .setBackup(let isBackup, let endpoint):
            if isBackup {
                entries[endpoint.key]?.present?.flags.insert(.backup)
            } else {
                entries[endpoint.key]?.present?.flags.remove(.backup)
            }
        case .reopen: break
        case .setLimits(let limits):
            setLimits = limits
            limitsHold = true
        case .add(let endpoint):
            var entry = entries[endpoint.key] ?? Entry()
            entry.present = made ?? endpoint
            entry.id = entry.present?.id ?? 0
            entries[endpoint.key] = entry
        }
    }

    /// What brings back what was found: endpoints that were added are removed, those that were changed or taken out are as
    /// before, and so are the limits, unless somebody else set them meanwhile.
    ///
    /// - Parameters:
    ///   - endpoints: what the kernel has.
    ///   - current: the kernel's limits.
    public func restoration(endpoints: [PathEndpoint], current: PathLimits) -> [EndpointOperation] {
        var operations: [EndpointOperation] = []
        var additions: [EndpointOperation] = []
        for (key, entry) in entries.sorted(by: { $0.key.description < $1.key.description }) {
            let now = endpoints.first { $0.key == key && !$0.flags.contains(.implicit) }
            if let now, let found = entry.found, now.isSameButBackup(as: found), now.id == found.id {
                if now.flags != found.flags { operations.append(.setBackup(found.flags.contains(.backup), now)) }
                continue
            }
            // What is not as Braid left it is somebody else's by now.
            if let now {
                guard now == entry.present else { continue }
                operations.append(.remove(now))
            }
            if let found = entry.found, now != nil || entry.present == nil { additions.append(.add(found)) }
        }
        if let foundLimits, let setLimits, current == setLimits, current != foundLimits {
            operations.append(.setLimits(foundLimits))
        }
        return operations + additions
    }
}

extension PathEndpoint {
    /// By what endpoints are told apart: the address, whatever the port.
    var key: SocketAddress {
        var key = address.with(port: 0)
        key.scope = 0
        return key
    }

    /// Whether only the id and the backup flag may differ. Flags that a later kernel adds are left as they are.
    func isSameButBackup(as other: PathEndpoint) -> Bool {
        let compared: EndpointFlags = [.signal, .subflow, .fullmesh]
        return key == other.key && address.port == other.address.port && interface == other.interface
            && flags.intersection(compared) == other.flags.intersection(compared)
    }
}
