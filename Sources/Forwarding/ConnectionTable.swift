internal import BasicContainers
internal import LinuxSystem

/// The connections of a loop, by slot. Slots 0 to 2 stay free: their deadlines are the loop's own.
struct ConnectionTable: ~Copyable {
    var slots = UniqueArray<Connection?>()
    private var generations: [UInt32] = [0, 0, 0]
    private var free: [UInt32] = []
    /// Connections in the table.
    private(set) var count = 0

    init() {
        for _ in generations { slots.append(nil) }
    }

    /// A free slot and the generation of its next tenant.
    mutating func claim() -> (slot: UInt32, generation: UInt32) {
        if let slot = free.popLast() { return (slot, generations[Int(slot)]) }
        slots.append(nil)
        generations.append(0)
        return (UInt32(slots.count - 1), 0)
    }

    /// Puts a connection into the slot that was claimed for it.
    mutating func insert(_ connection: consuming Connection) {
        let slot = Int(connection.slot)
        slots[slot] = consume connection
        count += 1
    }

    /// Destroys a connection, which closes its sockets; events that are still on their way to it are stale from here on.
    mutating func remove(_ slot: UInt32) {
        slots[Int(slot)] = nil
        generations[Int(slot)] = EventTag.generation(after: generations[Int(slot)])
        free.append(slot)
        count -= 1
    }

    /// Whether the slot's tenant is the one that the token is for.
    func holds(_ slot: UInt32, generation: UInt32) -> Bool {
        Int(slot) < slots.count && generations[Int(slot)] == generation && slots[Int(slot)] != nil
    }

    /// Highest slot + 1.
    var capacity: Int { slots.count }
}
