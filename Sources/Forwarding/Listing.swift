internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// A list of connections that was asked for, and how far it is.
struct Listing {
    let request: UInt64
    var nextSlot = 1
}

/// Listing connections: a slice at the end of each turn, so that nobody's bytes wait for it.
extension EventLoop {
    /// Gathers and sends the next slice of the list that waits longest.
    mutating func continueListing() {
        guard !listings.isEmpty else { return }
        // Opened for a slice only: lists are rare.
        var gathering = Gathering()
        var slot = listings[0].nextSlot
        while slot < connections.capacity, gathering.hasRoom {
            if let snapshot = connections.slots[slot]?.snapshot(relays, &gathering) {
                gathering.snapshots.append(snapshot)
            }
            slot += 1
        }
        let isLast = slot >= connections.capacity
        shared.report(.listed(request: listings[0].request, gathering.snapshots, isLast: isLast), vital: true)
        if isLast {
            listings.removeFirst()
        } else {
            listings[0].nextSlot = slot
        }
    }
}

/// One slice on its way.
struct Gathering: ~Copyable {
    var snapshots: [ConnectionSnapshot] = []
    private let start = MonotonicTime.now()
    private var reader = SubflowReader()
    // Without one, nobody is told which subflows are backup.
    private let roles = try? SubflowRoleReader()
    /// The interfaces that subflows from these addresses were found to be bound to.
    private var interfaces: [SocketAddress: UInt32] = [:]

    init() {
        snapshots.reserveCapacity(Tuning.connectionsPerSlice)
    }

    /// Neither full nor too long under way.
    var hasRoom: Bool {
        snapshots.count < Tuning.connectionsPerSlice && MonotonicTime.now().since(start) < Tuning.sliceNanoseconds
    }

    /// The subflows of one leg.
    mutating func subflows(of raw: CInt, leg: SubflowSnapshot.Leg, into list: inout [SubflowSnapshot]) {
        // A leg that its peer has just reset has none.
        guard let count = try? reader.read(raw) else { return }
        for index in 0..<count {
            let subflow = reader[index]
            list.append(SubflowSnapshot(subflow, leg: leg, isBackup: reader.info == nil ? nil : isBackup(subflow)))
        }
    }

    private mutating func isBackup(_ subflow: Subflow) -> Bool? {
        let local = subflow.local.with(port: 0)
        guard let role = try? roles?.role(of: subflow, boundTo: interfaces[local] ?? 0) else { return nil }
        if role.interface != 0 { interfaces[local] = role.interface }
        return role.isBackup
    }
}
