internal import BasicContainers
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage

/// MPTCP listeners that a reload has removed: they stay open for the subflows that join the connections which came by
/// them, and whoever wants to begin a new one is reset.
struct RetiredListeners: ~Copyable {
    private var listeners = UniqueArray<OpenListener>()

    /// Takes a listener over.
    mutating func add(_ listener: consuming OpenListener, _ poller: borrowing Poller, _ logger: Logger) {
        do throws(Errno) {
            let token = EventToken(
                slot: UInt32(truncatingIfNeeded: listener.id), tag: Supervisor.Tag.retiredListener.rawValue)
            try poller.add(listener.socket.raw, .readable, token)
        } catch {
            logger.event(
                .listenerFailed, "\(listener.address): new clients are not turned away: \(error)",
                metadata: ["listen": "\(listener.address)", "reason": "\(error)"])
        }
        listeners.append(listener)
    }

    /// Somebody has come.
    mutating func turnAway(_ token: EventToken) {
        for index in 0..<listeners.count where UInt32(truncatingIfNeeded: listeners[index].id) == token.slot {
            var peer = SocketAddress.none
            // Until nobody waits; any other error concerns the one who came.
            for _ in 0..<64 {
                guard let client = try? listeners[index].socket.accept(peer: &peer) else { return }
                client.resetOnClose()
            }
        }
    }

    /// The last connection of a relay has ended.
    mutating func close(usedBy relay: Int, stillUsed roster: RelayRoster, _ poller: borrowing Poller) {
        var kept = UniqueArray<OpenListener>()
        while var listener = listeners.popLast() {
            listener.users.remove(relay)
            if listener.users.contains(where: { roster[$0] != nil }) {
                kept.append(listener)
            } else {
                // A loop's duplicate may still be open, and would keep the registration alive.
                _ = try? poller.remove(listener.socket.raw)
            }
        }
        listeners = kept
    }
}
