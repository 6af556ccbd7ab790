internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import SystemPackage
internal import Upstreams

/// Keeps the addresses of upstreams that are given by name: asks when a connection needs them and they are past their
/// time, tells every loop, and otherwise does nothing.
struct UpstreamNames: ~Copyable {
    /// How long a name that has no address is left alone.
    private static let failureNanoseconds: UInt64 = 1_000_000_000

    private struct Target {
        let relay: Int
        let upstream: Int
        let relayName: String
        let host: String
        let port: UInt16
    }

    private let resolver: Resolver
    private let logger: Logger
    private var targets: [Target] = []
    private var pending: Set<Int> = []
    private var failing: Set<Int> = []

    init(logger: Logger) throws(ResolverError) {
        self.logger = logger
        resolver = try Resolver()
    }

    /// Remembers the names of a relay.
    mutating func add(_ settings: RelaySettings, relay: Int) {
        for (index, upstream) in settings.upstream.enumerated() {
            switch upstream.value {
            case .tcp(let target), .mptcp(let target), .convert(let target):
                if let host = target.dnsName {
                    targets.append(
                        Target(
                            relay: relay, upstream: index, relayName: settings.name, host: host, port: target.port))
                }
            default: break
            }
        }
    }

    /// Asks for every name once, so that the first connection need not wait.
    mutating func askForAll() {
        for index in targets.indices { ask(index) }
    }

    /// A loop wants the addresses of an upstream.
    mutating func ask(relay: Int, upstream: Int) {
        guard let index = targets.firstIndex(where: { $0.relay == relay && $0.upstream == upstream }) else { return }
        ask(index)
    }

    private mutating func ask(_ index: Int) {
        guard pending.insert(index).inserted else { return }
        resolver.resolve(name: targets[index].host, port: targets[index].port, id: UInt64(index))
    }

    /// When to come back although no descriptor is ready.
    var deadline: MonotonicTime { resolver.deadline }

    /// A descriptor of the resolver's is ready.
    func process(_ readiness: Readiness, _ token: EventToken) {
        resolver.process(readiness, token)
    }

    /// To be called once a turn of the main loop: passes answers on, and keeps the poller up to date.
    mutating func settle(_ poller: borrowing Poller, tag: UInt32, _ loops: borrowing LoopThreads) throws(Errno) {
        if resolver.deadline <= .now() { resolver.processTimeouts() }
        for resolution in resolver.takeResults() {
            let index = Int(resolution.id)
            pending.remove(index)
            answer(index, resolution.result, loops)
        }
        try resolver.updateWatches(in: poller, tag: tag)
    }

    private mutating func answer(_ index: Int, _ outcome: Resolution.Outcome, _ loops: borrowing LoopThreads) {
        let target = targets[index]
        let now = MonotonicTime.now()
        switch outcome {
        case .addresses(let addresses, let lifetime):
            failing.remove(index)
            loops.send(
                .setAddresses(
                    relay: target.relay, upstream: target.upstream, addresses,
                    expires: now + lifetime.wholeNanoseconds))
        case .failed(let error):
            if failing.insert(index).inserted {
                logger.event(
                    .nameUnresolved, "\(target.relayName): \(error.text(for: target.host))",
                    metadata: [
                        "relay": "\(target.relayName)", "name": "\(target.host)",
                        "reason": "\(error.text(for: target.host))",
                    ])
            }
            loops.send(
                .setAddresses(
                    relay: target.relay, upstream: target.upstream, [], expires: now + Self.failureNanoseconds))
        }
    }
}
