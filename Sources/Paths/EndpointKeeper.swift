public import LinuxSystem
public import MultipathTCP
internal import SystemPackage

/// Keeps the kernel's endpoints and limits as the links call for (`paths.manage = true`), and restores at the end what was
/// there. It needs `CAP_NET_ADMIN`.
///
/// Owned and used by one thread. It acts when it is called: after `LinkMonitor` reported a change, and when subflows ended or
/// connections came, to notice other managers, who make no event.
public struct EndpointKeeper: ~Copyable, Sendable {
    /// What a call did and noticed.
    public struct Report: Sendable {
        /// What was done.
        public var done: [EndpointOperation] = []
        /// What failed; it is tried again at the next call.
        public var failed: [(operation: EndpointOperation, error: PathManagerError)] = []
        /// What a person should know.
        public var notices: [EndpointNotice] = []
        /// When to call again although nothing changed; `never` when nothing is left alone because somebody else undoes it.
        public var retry = MonotonicTime.never

        init() {}
    }

    private var manager: PathManager
    private var ledger = EndpointLedger()
    private var limits: PathLimits

    /// - Parameters:
    ///   - manager: the path manager to use.
    ///   - limits: the limits to set: `paths.max-subflows`, `paths.max-announced`.
    public init(_ manager: consuming PathManager, limits: PathLimits) {
        self.manager = manager
        self.limits = limits
    }

    /// Other limits, from the next call of `reconcile` on.
    public mutating func take(_ limits: PathLimits) { self.limits = limits }

    /// The endpoints that are kept now.
    public var kept: [PathEndpoint] { ledger.kept }

    /// Makes the kernel's endpoints and limits what the links call for.
    ///
    /// Removing an endpoint closes its subflows, and what they had not delivered goes over the others; adding one opens a
    /// subflow on every connection. So this is also how a dead link is left, and how one that is back is used again.
    ///
    /// - Parameters:
    ///   - links: the links as they are now (`LinkSelector.links(in:)`).
    ///   - leaving: names of links to leave although they are up: those whose subflows are stuck.
    ///   - urgency: by address, without port: what is removed goes in this order, the highest first. Each removal takes the
    ///     kernel some 12 ms.
    ///   - now: the time.
    /// - Throws: `PathManagerError` when the kernel cannot be asked. What it refuses is in the report.
    public mutating func reconcile(
        _ links: [LinkStatus], leaving: Set<String> = [], urgency: [String: Int] = [:], now: MonotonicTime = .now()
    ) throws(PathManagerError) -> Report {
        let plan = ledger.plan(
            wanted: WantedEndpoint.all(for: links.filter { !leaving.contains($0.name) }), limits: limits,
            endpoints: try manager.endpoints(), current: try manager.limits(), now: now)
        var report = Report()
        report.notices = plan.notices
        report.retry = plan.retry
        let removals = plan.operations.filter(\.isRemoval)
        let ranked = removals.enumerated().sorted { left, right in
            let ranks = [left, right].map { urgency[$0.element.endpoint?.address.host ?? "", default: 0] }
            return (-ranks[0], left.offset) < (-ranks[1], right.offset)
        }
        for operation in ranked.map(\.element) + plan.operations.filter({ !$0.isRemoval }) {
            perform(operation, &report)
        }
        return report
    }

    /// Has every connection close its subflows over a link and open new ones, which is how lost subflows come back, at once.
    ///
    /// An endpoint that is announced is removed and added again, with another id; a peer closes what has the old one when it
    /// hears of that (RFC 8684, section 3.4.2). The address of a connection's first subflow always has id 0, and the peer may
    /// hear of the old subflow's end, over a slow link, after the new one has come: so where it can be, the endpoint stays.
    ///
    /// - Parameter link: the link.
    /// - Throws: `PathManagerError` when the kernel cannot be asked. What it refuses is in the report.
    public mutating func renew(_ link: LinkStatus) throws(PathManagerError) -> Report {
        var report = Report()
        let addresses = Set(WantedEndpoint.all(for: [link]).map(\.endpoint.key))
        let endpoints = try manager.endpoints()
        for endpoint in endpoints where addresses.contains(endpoint.key) && ledger.kept.contains(endpoint) {
            guard endpoint.flags.contains(.signal) else {
                perform(.reopen(endpoint), &report)
                continue
            }
            perform(.remove(endpoint), &report)
            var again = endpoint
            again.id = ledger.freshID(endpoints)
            perform(.add(again), &report)
        }
        return report
    }

    /// Restores what was found. Call it once, at the end.
    ///
    /// - Throws: `PathManagerError` when the kernel cannot be asked. What it refuses is in the report.
    public mutating func restore() throws(PathManagerError) -> Report {
        var report = Report()
        let operations = ledger.restoration(endpoints: try manager.endpoints(), current: try manager.limits())
        for operation in operations { perform(operation, &report) }
        return report
    }

    private mutating func perform(_ operation: EndpointOperation, _ report: inout Report) {
        do throws(PathManagerError) {
            var made: PathEndpoint?
            switch operation {
            case .remove(let endpoint): try remove(endpoint)
            case .setBackup(let isBackup, let endpoint):
                var flags = endpoint.flags.subtracting(.backup)
                if isBackup { flags.insert(.backup) }
                try manager.setFlags(flags, id: endpoint.id)
            case .reopen(let endpoint):
                // The kernel opens subflows anew when this flag changes.
                try manager.setFlags(endpoint.flags.symmetricDifference(.fullmesh), id: endpoint.id)
                try manager.setFlags(endpoint.flags, id: endpoint.id)
            case .setLimits(let limits): try manager.setLimits(limits)
            case .add(let endpoint): made = try add(endpoint)
            }
            ledger.did(operation, made: made)
            report.done.append(operation)
        } catch {
            report.failed.append((operation, error))
        }
    }

    /// What is gone already is as good as removed.
    private mutating func remove(_ endpoint: PathEndpoint) throws(PathManagerError) {
        do throws(PathManagerError) {
            try manager.remove(id: endpoint.id)
        } catch {
            if case .notFound = error { return }
            throw error
        }
    }

    private mutating func add(_ endpoint: PathEndpoint) throws(PathManagerError) -> PathEndpoint {
        guard endpoint.id != 0 else { return try manager.add(endpoint) }
        do throws(PathManagerError) {
            return try manager.add(endpoint)
        } catch {
            guard case .refused(.addEndpoint, .fileExists, _) = error else { throw error }
            // Somebody took the id; another one does as well.
            var other = endpoint
            other.id = 0
            return try manager.add(other)
        }
    }
}
