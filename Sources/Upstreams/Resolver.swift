public import LinuxSystem
public import SystemPackage

/// Looks names up without ever waiting: DNS over UDP and TCP, and `/etc/hosts`, through c-ares (ares_getaddrinfo(3)).
///
/// ## Concurrency model
/// A resolver belongs to the one thread that made it and is not `Sendable`; it starts no thread, makes no timer, and does
/// something only inside the calls below. That thread has a poller and drives it:
///
/// 1. after every call of `resolve`, `process`, `processTimeouts` or `reload`: `updateWatches(in:tag:)` (or
///    `takeWatchChanges()`), then `takeResults()`; both are cheap when there is nothing;
/// 2. when a watched descriptor is ready: `process(_:readable:writable:)`;
/// 3. when `deadline` has passed: `processTimeouts()`.
///
/// With no query in flight no descriptor is open and `deadline` is `never`, so an idle resolver wakes nobody.
/// Letting it go with queries in flight is safe: they end, and nobody hears of them any more.
public final class Resolver {
    /// A descriptor of the resolver's that is to be watched otherwise from now on.
    public struct WatchChange: Sendable, Equatable {
        /// The descriptor. It stays the resolver's own: watch it, never close it.
        public let descriptor: CInt
        /// What to watch it for; nothing: stop watching. It may be closed by now, and its number may already come again
        /// in a later change, so changes are applied in their order, and "not watched" is no error when one says stop.
        public let readiness: Readiness

        /// A change.
        public init(descriptor: CInt, readiness: Readiness) {
            self.descriptor = descriptor
            self.readiness = readiness
        }
    }

    private let options: ResolverOptions
    let inbox: ResolverInbox
    private var channel: ResolverChannel
    // Channels of an earlier configuration whose last queries are still in flight.
    private var retiring: [ResolverChannel] = []

    /// Reads this host's configuration. Sends nothing yet.
    ///
    /// - Throws: `ResolverError` when a configuration file cannot be read or memory or descriptors are short.
    public init(options: ResolverOptions = ResolverOptions()) throws(ResolverError) {
        self.options = options
        inbox = ResolverInbox(options: options)
        channel = try ResolverChannel(options: options, inbox: inbox)
    }

    /// Starts looking a name up: A and AAAA at once, `/etc/hosts` as nsswitch.conf(5) says, search domains as
    /// resolv.conf(5) says. The result comes by `takeResults()`, at once for address literals and names of `/etc/hosts`.
    ///
    /// - Parameters:
    ///   - name: a DNS name, or an address without brackets.
    ///   - port: the port of the addresses in the result.
    ///   - id: comes back in the result; whether it is unique is the caller's affair.
    public func resolve(name: String, port: UInt16, id: UInt64) {
        if let address = try? SocketAddress(parsing: name, port: port) {
            inbox.finish(
                Resolution(id: id, name: name, result: .addresses([address], ttl: Resolution.permanent)))
            return
        }
        // c-ares takes C strings: what follows a NUL would be ignored, and another name looked up.
        guard !name.isEmpty, !name.utf8.contains(0), name.utf8.count <= 254 else {
            inbox.finish(Resolution(id: id, name: name, result: .failed(.other("it is not a DNS name"))))
            return
        }
        channel.query(name: name, port: port, id: id)
    }

    /// Starts looking a service up (`_braid._tcp.example.net`): its SRV records. RFC 2782. The hosts' addresses are looked
    /// up by `resolve`.
    ///
    /// - Parameters:
    ///   - name: the service's full name; search domains are not tried.
    ///   - id: as for `resolve`.
    public func resolveService(name: String, id: UInt64) {
        guard !name.isEmpty, !name.utf8.contains(0), name.utf8.count <= 254 else {
            inbox.finish(Resolution(id: id, name: name, result: .failed(.other("it is not a DNS name"))))
            return
        }
        channel.queryService(name: name, id: id)
    }

    /// How many look-ups have no result yet.
    public var queriesInFlight: Int {
        retiring.reduce(channel.inFlight) { $0 + $1.inFlight }
    }

    /// Takes the results that have come since the last call, in the order they came.
    public func takeResults() -> [Resolution] {
        inbox.takeResults()
    }

    /// Takes what has changed since the last call about the descriptors to watch, in order.
    public func takeWatchChanges() -> [WatchChange] {
        inbox.takeWatchChanges()
    }

    /// Applies `takeWatchChanges()` to a poller. Events come with the descriptor's number as the token's slot.
    ///
    /// - Parameters:
    ///   - poller: the poller of the thread that owns the resolver, always the same one.
    ///   - tag: the tag of the tokens, by which the caller knows the resolver's events.
    /// - Throws: `Errno` of `epoll_ctl(2)`: that descriptor is not watched now, and its query will time out.
    public func updateWatches(in poller: borrowing Poller, tag: UInt32) throws(Errno) {
        var failure: Errno?
        for change in takeWatchChanges() {
            do throws(Errno) {
                try Self.apply(change, to: poller, tag: tag)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private static func apply(_ change: WatchChange, to poller: borrowing Poller, tag: UInt32) throws(Errno) {
        guard !change.readiness.isEmpty else {
            do throws(Errno) {
                try poller.remove(change.descriptor)
            } catch .noSuchFileOrDirectory, .badFileDescriptor {
                // Closed already, which ended the watch.
            }
            return
        }
        let token = EventToken(slot: UInt32(bitPattern: change.descriptor), tag: tag)
        do throws(Errno) {
            try poller.modify(change.descriptor, change.readiness, token)
        } catch .noSuchFileOrDirectory {
            do throws(Errno) {
                try poller.add(change.descriptor, change.readiness, token)
            } catch .badFileDescriptor {
                // Opened and closed again before anybody looked; the change that says so follows.
            }
        } catch .badFileDescriptor {
            // Likewise.
        }
    }

    /// Reads and writes what a descriptor is ready for. Stale events do no harm.
    ///
    /// - Parameters:
    ///   - descriptor: as in the `WatchChange`, or the token's slot.
    ///   - readable: there is something to read, an error included.
    ///   - writable: something can be written.
    public func process(_ descriptor: CInt, readable: Bool, writable: Bool) {
        channel.process(descriptor, readable: readable, writable: writable)
        for old in retiring {
            old.process(descriptor, readable: readable, writable: writable)
        }
        retiring.removeAll { $0.inFlight == 0 }
    }

    /// Passes an event of the poller on, as `updateWatches(in:tag:)` registered it.
    public func process(_ readiness: Readiness, _ token: EventToken) {
        process(
            CInt(bitPattern: token.slot),
            readable: !readiness.isDisjoint(with: [.readable, .failed, .hungUp]),
            writable: readiness.contains(.writable))
    }

    /// When `processTimeouts()` is due; `never` with no query in flight. It changes with every call.
    public var deadline: MonotonicTime {
        retiring.reduce(channel.deadline) { min($0, $1.deadline) }
    }

    /// Sends again, or gives up, what nobody answered in time. Before the deadline it does nothing.
    public func processTimeouts() {
        channel.processTimeouts()
        for old in retiring {
            old.processTimeouts()
        }
        retiring.removeAll { $0.inFlight == 0 }
    }

    /// Reads the host's configuration again, for the queries from here on; those in flight end as they began.
    ///
    /// - Throws: `ResolverError`: the former configuration stays.
    public func reload() throws(ResolverError) {
        let fresh = try ResolverChannel(options: options, inbox: inbox)
        if channel.inFlight > 0 {
            retiring.append(channel)
        }
        channel = fresh
    }
}
