internal import NIOCore
internal import NIOHTTP1

/// All that the clients of the admin server share.
///
/// Belongs to the server's loop.
final class AdminSite {
    let loop: any EventLoop
    let backend: any AdminBackend
    var hosts: HostCheck
    let hub: EventHub
    private let capacity: Int
    private var clients: [ObjectIdentifier: ClientHandler] = [:]
    /// The lists that are being made or read; the last is the newest.
    private var listings: [ConnectionListing] = []
    private var busiest: [BusiestQuery: BusiestCollection] = [:]
    private let rates = RateBook()
    /// `nil` when nobody but the owner can look.
    private(set) var history: TrafficHistory?

    init(
        loop: any EventLoop, backend: any AdminBackend, hosts: HostCheck, capacity: Int, interest: EventInterest
    ) {
        self.loop = loop
        self.backend = backend
        self.hosts = hosts
        self.capacity = capacity
        hub = EventHub(loop: loop, interest: interest) { backend.status().document }
    }

    // MARK: Clients

    /// Lets a client in. When all places are taken, the reader that has waited longest without asking gives up its own.
    ///
    /// - Returns: false when there is none to give.
    func enter(_ client: ClientHandler) -> Bool {
        let reserve = client.audience == .owner ? 0 : capacity / 4
        if clients.count + reserve >= capacity {
            let idle = clients.values.filter { $0.isIdle && $0.audience == .reader }
            guard let oldest = idle.min(by: { $0.waitingSince < $1.waitingSince }) else { return false }
            clients[ObjectIdentifier(oldest)] = nil
            oldest.close()
        }
        clients[ObjectIdentifier(client)] = client
        return true
    }

    func leave(_ client: ClientHandler) {
        clients[ObjectIdentifier(client)] = nil
    }

    func end() {
        hub.end()
        history?.end()
        for client in clients.values { client.close() }
    }

    // MARK: History

    func keepHistory() {
        guard history == nil else { return }
        let history = TrafficHistory(loop: loop, backend: backend)
        history.observer = { [hub] sample in hub.publish(sample) }
        hub.watching = { history.isWatched = $0 }
        self.history = history
    }

    // MARK: Lists of connections

    /// A list of all connections: the one that is being made, or was just now, or a new one.
    ///
    /// - Returns: nil when too much waits for the main thread, or slow readers hold too many lists; some are for the owner alone.
    func connections(for audience: Audience) -> ConnectionListing? {
        let now = NIODeadline.now()
        sweep(now)
        if let listing = listings.last, !listing.isFailed,
            !listing.isComplete || now - listing.began < AdminLimits.listingFreshness
        {
            return listing
        }
        guard listings.count < AdminLimits.listings + (audience == .owner ? AdminLimits.listings : 0) else {
            return nil
        }
        let fresh = ConnectionListing(began: now)
        let bound = NIOLoopBound(fresh, eventLoop: loop)
        let site = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let submitted = backend.submit(
            .list { slice in
                loop.execute {
                    guard case .rows(let rows, let isLast) = slice else { return bound.value.fail() }
                    bound.value.append(rows(), isLast: isLast)
                    guard isLast else { return }
                    loop.scheduleTask(in: AdminLimits.listingFreshness) { site.value.sweep(.now()) }
                }
            })
        guard submitted else { return nil }
        listings.append(fresh)
        fresh.timeout = loop.scheduleTask(in: AdminLimits.answer) {
            bound.value.fail()
            site.value.sweep(.now())
        }
        return fresh
    }

    /// Lets go of the lists that nobody reads and that are too old for others.
    func sweep(_ now: NIODeadline) {
        listings.removeAll { listing in
            let isOver = listing.isFailed || listing.isComplete && now - listing.began >= AdminLimits.listingFreshness
            return isOver && !listing.hasReaders
        }
    }

    // MARK: The busiest connections

    /// - Returns: false when too much waits already.
    func busiest(_ query: BusiestQuery, _ reply: Reply) -> Bool {
        let now = NIODeadline.now()
        if let collection = busiest[query] {
            collection.serve(reply)
            return true
        }
        guard busiest.count < AdminLimits.listings else { return false }
        if now - rates.lastPass > RateBook.longest { rates.forget() }
        let fresh = BusiestCollection(query, rates: rates, began: now)
        let bound = NIOLoopBound(fresh, eventLoop: loop)
        let site = NIOLoopBound(self, eventLoop: loop)
        let loop = self.loop
        let submitted = backend.submit(
            .list { slice in
                loop.execute {
                    guard case .rows(let rows, let isLast) = slice else { return site.value.forget(bound.value) }
                    bound.value.take(rows(), isLast: isLast)
                    guard isLast else { return }
                    loop.scheduleTask(in: AdminLimits.listingFreshness) { site.value.forget(bound.value) }
                }
            })
        guard submitted else { return false }
        busiest[query] = fresh
        fresh.serve(reply)
        loop.scheduleTask(in: AdminLimits.answer) { site.value.forget(bound.value) }
        loop.scheduleTask(in: RateBook.longest + .seconds(1)) {
            if NIODeadline.now() - site.value.rates.lastPass > RateBook.longest { site.value.rates.forget() }
        }
        return true
    }

    private func forget(_ collection: BusiestCollection) {
        collection.fail()
        if busiest[collection.query] === collection { busiest[collection.query] = nil }
    }
}
