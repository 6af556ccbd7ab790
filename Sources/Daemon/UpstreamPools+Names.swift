internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import ServiceManager
internal import Upstreams

/// Looking up what upstreams stand for.
extension UpstreamPools {
    /// A query's number: its source's, and for a host of a service which one, from 1.
    private static func query(_ source: Int, host: Int = 0) -> UInt64 { UInt64(source) << 16 | UInt64(host) }

    /// Asks for every name once, so that the first connection need not wait.
    mutating func askForAll() {
        for (number, source) in sources where source.isName && source.expires.nanoseconds == 0 { ask(number) }
    }

    /// A loop wants to know what an upstream stands for.
    mutating func ask(relay: Int, upstream: Int) {
        guard let numbers = relays[relay]?.sources, numbers.indices.contains(upstream) else { return }
        ask(numbers[upstream])
    }

    mutating func ask(_ number: Int) {
        guard let source = sources[number], !source.isPending else { return }
        sources[number]?.isPending = true
        switch source.origin {
        case .fixed: sources[number]?.isPending = false
        case .name(let target, let host): resolver.resolve(name: host, port: target.port, id: Self.query(number))
        case .service(let name): resolver.resolveService(name: name, id: Self.query(number))
        }
    }

    mutating func takeAnswers(_ loops: borrowing LoopThreads) {
        while true {
            let answers = resolver.takeResults()
            if answers.isEmpty { return }
            for answer in answers {
                let number = Int(answer.id >> 16)
                guard let source = sources[number] else { continue }
                if let lookup = source.lookup {
                    take(answer, host: Int(answer.id & 0xFFFF) - 1, of: lookup, number, loops)
                } else {
                    take(answer, source, number, loops)
                }
            }
        }
    }

    private mutating func take(
        _ answer: Resolution, _ source: PoolSource, _ number: Int, _ loops: borrowing LoopThreads
    ) {
        switch answer.result {
        case .addresses(let addresses, let lifetime):
            succeed(number)
            publish(source.candidates(addresses), of: number, lifetime: lifetime, loops)
        case .services(let records, let lifetime):
            guard !records.isEmpty else { return fail(number, .notOffered, loops) }
            let records = Array(records.prefix(Self.mostHosts))
            sources[number]?.lookup = PoolSource.ServiceLookup(
                records: records, addresses: records.map { _ in [] }, missing: records.count, lifetime: lifetime)
            for (index, record) in records.enumerated() {
                resolver.resolve(name: record.target, port: record.port, id: Self.query(number, host: index + 1))
            }
        case .failed(let error): fail(number, error, loops)
        }
    }

    /// Beyond this a service is not looked at: its answer would not fit into 64 KiB.
    private static let mostHosts = 4096

    private mutating func take(
        _ answer: Resolution, host: Int, of before: PoolSource.ServiceLookup, _ number: Int,
        _ loops: borrowing LoopThreads
    ) {
        var lookup = before
        guard lookup.records.indices.contains(host) else { return }
        lookup.missing -= 1
        var failure: ResolutionError?
        switch answer.result {
        case .addresses(let addresses, let lifetime):
            lookup.addresses[host] = addresses
            lookup.lifetime = min(lookup.lifetime, lifetime)
        case .failed(let error): failure = error
        case .services: break
        }
        sources[number]?.lookup = lookup
        if let failure, let source = sources[number] {
            note(source, failure.text(for: lookup.records[host].target), once: false)
        }
        guard lookup.missing == 0, let source = sources[number] else { return }
        sources[number]?.lookup = nil
        let candidates = source.candidates(lookup)
        if candidates.isEmpty { return fail(number, .noAddresses, loops) }
        succeed(number)
        publish(candidates, of: number, lifetime: lookup.lifetime, loops)
    }

    private mutating func succeed(_ number: Int) {
        sources[number]?.isPending = false
        sources[number]?.isFailing = false
    }

    /// Those known stay: a dead DNS server must not take a pool away.
    private mutating func fail(_ number: Int, _ error: ResolutionError, _ loops: borrowing LoopThreads) {
        guard let source = sources[number] else { return }
        let expires = MonotonicTime.now() + Self.failureNanoseconds
        sources[number]?.isPending = false
        sources[number]?.expires = expires
        if !source.isFailing { note(source, error.text(for: source.name), once: true) }
        sources[number]?.isFailing = true
        loops.send(.setMembers(relay: source.relay, upstream: source.upstream, nil, expires: expires))
    }

    private func note(_ source: PoolSource, _ reason: String, once: Bool) {
        guard let relay = relays[source.relay], once || !source.isFailing else { return }
        logger.event(
            .nameUnresolved, "\(relay.name): \(reason)",
            metadata: ["relay": "\(relay.name)", "name": "\(source.name)", "reason": "\(reason)"])
    }
}
