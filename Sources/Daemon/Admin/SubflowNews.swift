internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import SystemPackage

/// How those who listen hear of subflows at once: the kernel's events tell which connections the loops are to look at. Without
/// `CAP_NET_ADMIN` the loops see what has changed when a connection moves data.
///
/// Owned and used by the main thread. Nothing is open and nothing is asked while nobody listens.
struct SubflowNews: ~Copyable {
    /// Fallbacks are told at most so often for each relay.
    private static let fallbackInterval: UInt64 = 10_000_000_000
    /// Events taken in one turn, in thousands.
    private static let roundsAtMost = 4

    private var isWanted = false
    private var events: PathEvents?
    private var nextFallback: [Int: MonotonicTime] = [:]

    /// Somebody listens, or nobody does any more.
    mutating func want(
        _ wanted: Bool, _ loops: borrowing LoopThreads, _ poller: borrowing Poller, _ logger: Logger
    ) {
        guard wanted != isWanted else { return }
        isWanted = wanted
        loops.send(.observeSubflows(wanted))
        wanted ? open(poller, logger) : close(poller, logger)
    }

    /// Events wait.
    mutating func receive(_ loops: borrowing LoopThreads, _ poller: borrowing Poller, _ logger: Logger) {
        for _ in 0..<Self.roundsAtMost {
            do throws(NetlinkError) {
                guard let events = try self.events?.receive(), !events.isEmpty else { return }
                loops.send(.lookAtSubflows(Array(Set(events.compactMap(\.token)))))
            } catch {
                switch error {
                // What was missed is found by looking.
                case .overrun, .syntax: loops.send(.lookAtSubflows(nil))
                default:
                    logger.warning("subflows are told of late, for path events cannot be read: \(error)")
                    return close(poller, logger)
                }
            }
        }
    }

    /// Whether it is time to tell of a relay's fallbacks again: every loop tells by itself.
    mutating func takeTurn(fallbackOf relay: Int) -> Bool {
        let now = MonotonicTime.now()
        nextFallback = nextFallback.filter { $0.value > now }
        guard nextFallback[relay] == nil else { return false }
        nextFallback[relay] = now + Self.fallbackInterval
        return true
    }

    private mutating func open(_ poller: borrowing Poller, _ logger: Logger) {
        do {
            let manager = try PathManager()
            let events = try manager.events()
            try events.limit(to: [.subflowEstablished, .subflowClosed])
            try poller.add(
                events.raw, .readable, EventToken(slot: 0, tag: Supervisor.Tag.subflowNews.rawValue))
            self.events = consume events
        } catch {
            logger.debug("subflows are told of when data moves, for path events cannot be had: \(error)")
        }
    }

    private mutating func close(_ poller: borrowing Poller, _ logger: Logger) {
        guard let raw = events?.raw else { return }
        do throws(Errno) {
            try poller.remove(raw)
        } catch {
            logger.debug("path events were not waited for: \(error)")
        }
        events = nil
    }
}
