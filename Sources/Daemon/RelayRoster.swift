internal import Configuration

/// The relays of this process by their ids: those of the configuration, and those that a reload has replaced or removed
/// and whose connections go on. An id is never used again.
struct RelayRoster {
    private struct Entry {
        let settings: RelaySettings
        let counters: Int
        /// Loops that may have connections of it; `nil` while it is in the configuration.
        var loopsLeft: Int?
    }

    private var entries: [Int: Entry] = [:]
    private var nextID = 0
    /// The relays of the configuration, in its order.
    private(set) var current: [Int] = []

    /// The settings that a relay's connections have.
    subscript(id: Int) -> RelaySettings? { entries[id]?.settings }

    /// The number that a relay counts under: that of the first of its name.
    func counters(of id: Int) -> Int { entries[id]?.counters ?? id }

    /// The configuration's relay of a name.
    func id(named name: String) -> Int? { current.first { entries[$0]?.settings.name == name } }

    /// The relays whose last connections go on.
    var past: [Int] { entries.filter { $0.value.loopsLeft != nil }.keys.sorted() }

    /// The settings of all relays that have connections, or may get some.
    var all: [RelaySettings] { entries.values.map(\.settings) }

    /// Takes a relay in; it is in the configuration once `setCurrent` says so.
    mutating func add(_ settings: RelaySettings, inPlaceOf former: Int? = nil) -> Int {
        let id = nextID
        nextID += 1
        entries[id] = Entry(settings: settings, counters: former.map { counters(of: $0) } ?? id, loopsLeft: nil)
        return id
    }

    /// The configuration's relays from now on.
    ///
    /// - Returns: those that were and are no more.
    mutating func setCurrent(_ ids: [Int], loops: Int) -> [Int] {
        let left = current.filter { !ids.contains($0) }
        for id in left { entries[id]?.loopsLeft = loops }
        current = ids
        return left
    }

    /// A loop has no connection of a retired relay left.
    ///
    /// - Returns: true when none has.
    mutating func emptied(_ id: Int) -> Bool {
        guard let left = entries[id]?.loopsLeft else { return false }
        entries[id]?.loopsLeft = left - 1
        if left > 1 { return false }
        entries[id] = nil
        return true
    }
}
