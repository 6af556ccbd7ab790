internal import BasicContainers
internal import LinuxSystem
internal import MultipathTCP

/// What subflows the connections of a loop have, while somebody wants to hear of those that come and go. It is filled by the
/// looks that are made anyway, by one walk over all connections when it begins, and by looks that are asked for by token.
///
/// While nobody wants to hear it is empty, and costs one look at a flag when a connection is looked at.
struct SubflowObserver: ~Copyable {
    /// A leg, as long as the connection in the slot is the same.
    struct Place: Hashable {
        let slot: UInt32
        let side: SideName
    }

    /// Both ends of a subflow.
    struct Ends: Hashable {
        let local: SocketAddress
        let remote: SocketAddress
    }

    private struct Leg {
        let connection: UInt64
        let token: UInt32
        var subflows: Set<Ends>
    }

    private(set) var isOn = false
    private var since = MonotonicTime(nanoseconds: 0)
    private var legs: [Place: Leg] = [:]
    private var places: [UInt32: Place] = [:]
    /// The next slot of the walk over all connections.
    private var walk: Int?
    /// Legs to be looked at soon.
    private var asked: [Place] = []

    /// Looks wait to be made.
    var isBusy: Bool { walk != nil || !asked.isEmpty }

    mutating func set(_ wanted: Bool, now: MonotonicTime) {
        isOn = wanted
        since = now
        legs = [:]
        places = [:]
        asked = []
        walk = wanted ? 1 : nil
    }

    /// Has the legs of these tokens looked at, or all.
    mutating func ask(_ tokens: [UInt32]?) {
        guard isOn else { return }
        guard let tokens else {
            walk = 1
            asked = []
            return
        }
        // What the walk comes to is looked at then. A token that is not known belongs to no connection here, or to one that has
        // its first look still before it.
        asked += tokens.compactMap { places[$0] }
    }

    /// The next leg that was asked for.
    mutating func nextAsked() -> Place? { asked.popLast() }

    /// The next slot of the walk; `nil` at its end.
    mutating func nextSlot(of capacity: Int) -> Int? {
        guard let slot = walk else { return nil }
        walk = slot + 1 < capacity ? slot + 1 : nil
        return slot < capacity ? slot : nil
    }

    /// Takes in what a leg has now.
    ///
    /// - Parameters:
    ///   - connection: its id.
    ///   - opened: when the connection began: of one that was there before, the first look shows nothing new.
    ///   - reader: has just read the leg.
    /// - Returns: the subflows that were opened, and those that are gone.
    mutating func note(
        _ place: Place, _ connection: UInt64, opened: MonotonicTime, _ reader: borrowing SubflowReader
    ) -> (opened: [Ends], closed: [Ends]) {
        var now: [Ends] = []
        var first: (id: UInt32, index: Int)?
        for index in 0..<reader.count {
            let subflow = reader[index]
            guard subflow.isInUse, subflow.tcp.state != .closed else { continue }
            let id = subflow.id ?? UInt32(index)
            if first.map({ id < $0.id }) ?? true { first = (id, now.count) }
            now.append(Ends(local: subflow.local, remote: subflow.remote))
        }
        let subflows = Set(now)
        let before = legs[place]
        let isKnown = before?.connection == connection
        // A connection that has fallen back has no token any more.
        let token = reader.info?.token ?? (isKnown ? before?.token : nil) ?? 0
        if let before, before.token != token, places[before.token] == place { places[before.token] = nil }
        legs[place] = Leg(connection: connection, token: token, subflows: subflows)
        if token != 0 { places[token] = place }
        guard let before, isKnown else {
            guard opened >= since, let first else { return ([], []) }
            now.remove(at: first.index)
            return (now, [])
        }
        return (now.filter { !before.subflows.contains($0) }, before.subflows.filter { !subflows.contains($0) })
    }

    /// A leg has ended.
    mutating func forget(_ slot: UInt32, _ side: SideName) {
        guard isOn else { return }
        let place = Place(slot: slot, side: side)
        guard let leg = legs.removeValue(forKey: place), places[leg.token] == place else { return }
        places[leg.token] = nil
    }
}

/// Telling of subflows that come and go.
extension EventLoop {
    /// At a look: the reader has just read the leg.
    mutating func observe(_ slot: UInt32, _ side: SideName, isLast: Bool) {
        if isLast { return observer.forget(slot, side) }
        guard let id = connections.slots[Int(slot)]?.id, let opened = connections.slots[Int(slot)]?.opened,
            let relay = connections.slots[Int(slot)]?.relay
        else { return }
        let found = observer.note(.init(slot: slot, side: side), id, opened: opened, reader)
        for (list, isOpened) in [(found.closed, false), (found.opened, true)] {
            for ends in list {
                tell(
                    .subflowChanged(
                        SubflowChange(
                            connection: id, relay: relays[relay].plan.id, leg: side.leg, local: ends.local,
                            remote: ends.remote, isOpened: isOpened)))
            }
        }
    }

    /// Makes some of the looks that wait, at the end of a turn.
    mutating func continueObserving() {
        guard observer.isBusy else { return }
        let start = MonotonicTime.now()
        for _ in 0..<Tuning.connectionsPerSlice where MonotonicTime.now().since(start) < Tuning.sliceNanoseconds {
            if let place = observer.nextAsked() {
                lookRelaying(place.slot, place.side)
            } else if let slot = observer.nextSlot(of: connections.capacity) {
                lookRelaying(UInt32(slot), .client)
                lookRelaying(UInt32(slot), .upstream)
            } else {
                return
            }
        }
    }

    private mutating func lookRelaying(_ slot: UInt32, _ side: SideName) {
        guard Int(slot) < connections.capacity, connections.slots[Int(slot)]?.phase == .relaying else { return }
        look(slot, side, isLast: false)
    }

    /// A look has shown that a leg is not multipath.
    mutating func noteFallback(_ slot: UInt32) {
        let index = Int(slot)
        guard connections.slots[index]?.isFallbackTold == false, let relay = connections.slots[index]?.relay else {
            return
        }
        connections.slots[index]?.isFallbackTold = true
        let id = relays[relay].plan.id
        guard now >= relays[relay].nextFallbackReport,
            let news = connections.slots[index]?.fallbackNews(relayID: id)
        else { return }
        relays[relay].nextFallbackReport = now + Tuning.fallbackReportInterval
        tell(.fellBack(news))
    }
}

extension Connection {
    fileprivate func fallbackNews(relayID: Int) -> FallbackNews {
        FallbackNews(
            connection: id, relay: relayID, client: clientAddress, upstream: upstreamIndex, reason: notMultipathReason)
    }
}
