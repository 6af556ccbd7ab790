internal import Admin
internal import Forwarding
internal import LinuxSystem
internal import Paths
internal import Synchronization

/// The daemon as the admin server sees it: counters, which anyone may read, and what the main thread has published.
final class DaemonView: AdminBackend {
    /// What the main thread publishes when it changes.
    struct Published: Sendable {
        var relays: [Relay] = []
        /// Relays that a reload has replaced or removed, and whose connections go on.
        var pastRelays: [Relay] = []
        var links: [LinkSnapshot] = []
        var isReady = false
        var isDraining = false
        /// Reloads that took the new configuration, and that did not.
        var reloads = (good: UInt64(0), failed: UInt64(0))
        /// Subflows that died silently or with their link, by the link's name.
        var failovers: [String: UInt64] = [:]
    }

    /// A relay's unchanging parts, and what is known of its upstreams.
    struct Relay: Sendable {
        let id: Int
        /// The number under which it counts.
        let counters: Int
        let name: String
        var listen: [String]
        let upstreams: [String]
        /// The members that they stand for.
        let pool: [PoolView]
    }

    private let published = Mutex(Published())
    private let version: String
    private let started = MonotonicTime.now()
    private let loops: [LoopShared]
    private let mailbox: AdminMailbox

    init(version: String, loops: [LoopShared], mailbox: AdminMailbox) {
        self.version = version
        self.loops = loops
        self.mailbox = mailbox
    }

    /// Makes a change visible to the admin server.
    func publish(_ change: (inout Published) -> Void) { published.withLock { change(&$0) } }

    /// What was published last.
    var latest: Published { published.withLock { $0 } }

    func submit(_ request: AdminRequest) -> Bool { mailbox.put(request) }

    func setFrequentEvents(wanted: Bool) {
        for loop in loops { loop.setOpeningsWanted(wanted) }
    }

    func awaitActivity() {
        for loop in loops { loop.awaitActivity() }
    }

    func status() -> StatusView { status(latest) }

    private func status(_ published: Published) -> StatusView {
        var view = StatusView()
        view.version = version
        view.pid = ThisProcess.id
        view.uptimeSeconds = Double(MonotonicTime.now().since(started) / 1_000_000) / 1000
        view.ready = published.isReady
        view.draining = published.isDraining
        view.threads = loops.count
        view.connections = loops.reduce(0) { $0 + $1.connections }
        view.relays = published.relays.map { relay($0) }
        view.links = links(published)
        return view
    }

    func metrics() -> MetricsView {
        let published = latest
        var metrics = MetricsView()
        metrics.status = status(published)
        metrics.relays = published.relays.map { RelayMetrics(name: $0.name, tally($0.counters)) }
        metrics.failovers = published.links.map { ($0.name, published.failovers[$0.name] ?? 0) }
        metrics.reloadsGood = published.reloads.good
        metrics.reloadsFailed = published.reloads.failed
        return metrics
    }

    // MARK: Relays

    private func relay(_ relay: Relay) -> RelayView {
        var view = RelayView()
        view.name = relay.name
        view.listen = relay.listen
        for member in relay.pool {
            view.upstreams.append(UpstreamView(member))
        }
        for loop in loops {
            let counters = loop.counters.read(relay: relay.counters)
            view.open &+= counters.open
            view.accepted &+= counters.accepted
            view.refused &+= counters.refused
            view.failed &+= counters.failed
            view.bytesUp &+= counters.bytesUp
            view.bytesDown &+= counters.bytesDown
            view.multipath &+= counters.multipath
            view.fallback &+= counters.fallback
        }
        return view
    }

    private func tally(_ relay: Int) -> RelayTally {
        var sum = RelayTally()
        for loop in loops { sum.add(loop.counters.tally(relay: relay)) }
        return sum
    }

    // MARK: Links

    /// The links as they are now.
    func links(_ published: Published) -> [LinkView] {
        published.links.map { link in LinkView(link, loops.map { $0.counters.read(link: link.id) }) }
    }

    // MARK: Connections

    /// The rows of a list of connections, as they are shown.
    func rows(_ snapshots: [ConnectionSnapshot], at now: MonotonicTime) -> [ConnectionView] {
        let published = latest
        let relays = Dictionary((published.relays + published.pastRelays).map { ($0.id, $0) }) { first, _ in first }
        return snapshots.map { ConnectionView($0, relay: relays[$0.relay], links: published.links, now: now) }
    }
}
