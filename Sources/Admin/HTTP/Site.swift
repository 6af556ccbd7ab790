internal import NIOCore
internal import NIOHTTP1

/// All that the clients of the admin server share.
///
/// Belongs to the server's loop.
final class AdminSite {
    let loop: any EventLoop
    let backend: any AdminBackend
    let hosts: HostCheck
    let hub: EventHub
    private let capacity: Int
    private var clients: [ObjectIdentifier: ClientHandler] = [:]
    private var listing: ConnectionListing?

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
        for client in clients.values { client.close() }
    }

    // MARK: Lists of connections

    /// A list of all connections: the one that is being made, or was just now, or a new one.
    ///
    /// - Returns: nil when too much waits for the main thread.
    func connections() -> ConnectionListing? {
        let now = NIODeadline.now()
        if let listing, !listing.isFailed,
            !listing.isComplete || now - listing.began < AdminLimits.listingFreshness
        {
            return listing
        }
        let fresh = ConnectionListing(began: now)
        let bound = NIOLoopBound(fresh, eventLoop: loop)
        let loop = self.loop
        let submitted = backend.submit(
            .list { rows, isLast in
                loop.execute { bound.value.append(rows(), isLast: isLast) }
            })
        guard submitted else { return nil }
        listing = fresh
        let site = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: AdminLimits.answer) { site.value.forget(bound.value) }
        return fresh
    }

    /// A list is not kept for long, and one that did not come is given up.
    private func forget(_ listing: ConnectionListing) {
        listing.fail()
        if self.listing === listing { self.listing = nil }
    }
}
