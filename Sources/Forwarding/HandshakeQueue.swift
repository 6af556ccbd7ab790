internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage

/// Handshakes in the order in which they began. Those that are over are found out when it is their turn.
struct HandshakeQueue {
    private var tokens: [EventToken] = []
    private var head = 0

    /// The one that began first.
    var first: EventToken? { head < tokens.count ? tokens[head] : nil }

    mutating func append(_ token: EventToken) {
        tokens.append(token)
    }

    mutating func removeFirst() {
        head += 1
        if head >= 1024, head * 2 >= tokens.count {
            tokens.removeFirst(head)
            head = 0
        }
    }
}

/// When there is no place left: clients that take their time with their preamble make room for others.
extension EventLoop {
    /// Gives up the slowest handshake that holds a place which the relay could use.
    ///
    /// - Returns: false when there is none that had its grace.
    mutating func makeRoom(_ relay: Int) -> Bool {
        if giveUpSlowest(relay) { return true }
        if relays[relay].plan.gate.isFull { return false }
        for other in 0..<relays.count where other != relay {
            if giveUpSlowest(other) { return true }
        }
        return false
    }

    private mutating func giveUpSlowest(_ relay: Int) -> Bool {
        while let token = relays[relay].handshakes.first {
            let generation = EventTag(rawValue: token.tag).generation
            guard connections.holds(token.slot, generation: generation),
                let handshake = connections.slots[Int(token.slot)]?.handshake, handshake.isClientsTurn
            else {
                relays[relay].handshakes.removeFirst()
                // One that waits for something else comes back to the queue when it is read again.
                if connections.holds(token.slot, generation: generation) {
                    connections.slots[Int(token.slot)]?.handshake?.isQueued = false
                }
                continue
            }
            let over = handshake.began + Tuning.handshakeGrace
            guard over <= now else {
                // Looks again then: nobody else may leave before.
                if !acceptBackoff { timers.schedule(0, at: over) }
                return false
            }
            relays[relay].handshakes.removeFirst()
            finish(token.slot, Connection.End(result: .handshakeTimeout, error: .timedOut, reset: true))
            return true
        }
        return false
    }
}
