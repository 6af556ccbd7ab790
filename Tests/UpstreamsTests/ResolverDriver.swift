import LinuxSystem
import Testing

@testable import Upstreams

/// Drives a resolver as the daemon's main thread does: its own poller, no other clock.
struct ResolverDriver: ~Copyable {
    let resolver: Resolver
    var poller: Poller
    private(set) var results: [Resolution] = []

    init(_ resolver: Resolver) throws {
        self.resolver = resolver
        poller = try Poller()
    }

    init(server: SocketAddress, _ change: (inout ResolverOptions) -> Void = { _ in }) throws {
        var options = ResolverOptions()
        options.servers = [server]
        change(&options)
        try self.init(Resolver(options: options))
    }

    struct TooLong: Error { let results: [Resolution] }

    /// One turn of the loop.
    mutating func turn() throws {
        try resolver.updateWatches(in: poller, tag: 7)
        results += resolver.takeResults()
    }

    /// Turns until so many results have come altogether; half a minute at most.
    mutating func run(until count: Int) throws {
        let end = MonotonicTime.now() + 30_000_000_000
        try turn()
        while results.count < count {
            let now = MonotonicTime.now()
            guard now < end else { throw TooLong(results: results) }
            let left = min(resolver.deadline, end).since(now)
            let events = try poller.wait(milliseconds: CInt(clamping: left / 1_000_000 + 1))
            for index in 0..<events {
                let event = poller.event(index)
                #expect(event.token.tag == 7)
                resolver.process(event.readiness, event.token)
            }
            if resolver.deadline <= MonotonicTime.now() { resolver.processTimeouts() }
            try turn()
        }
    }

    /// Looks one name up.
    mutating func resolve(_ name: String, port: UInt16 = 443) throws -> Resolution.Outcome {
        results = []
        resolver.resolve(name: name, port: port, id: 1)
        try run(until: 1)
        try #require(results.count == 1)
        #expect(results[0].name == name)
        #expect(results[0].id == 1)
        return results[0].result
    }
}

extension Resolution.Outcome {
    /// The addresses' text, without port; `nil` for a failure.
    var hosts: [String]? {
        guard case .addresses(let addresses, _) = self else { return nil }
        return addresses.map(\.host)
    }

    /// How long they may be used.
    var lifetime: Duration? {
        guard case .addresses(_, let ttl) = self else { return nil }
        return ttl
    }
}
