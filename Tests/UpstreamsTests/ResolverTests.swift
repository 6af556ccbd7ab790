import Foundation
import LinuxSystem
import Testing

@testable import Upstreams

/// Against a real dnsmasq.
@Suite(.timeLimit(.minutes(2))) struct ResolverTests {
    @Test func bothFamiliesWithThePortAndTheLifetime() throws {
        let server = try NameServer("--host-record=both.test,127.0.0.1,::1,300")
        var driver = try ResolverDriver(server: server.address)
        let outcome = try driver.resolve("both.test", port: 7143)
        #expect(outcome.hosts.map(Set.init) == ["127.0.0.1", "::1"])
        #expect(outcome.lifetime == .seconds(300))
        guard case .addresses(let addresses, _) = outcome else { return }
        #expect(addresses.allSatisfy { $0.port == 7143 })
    }

    @Test func theShortestLifetimeCountsAliasesIncluded() throws {
        let server = try NameServer(
            "--host-record=target.test,192.0.2.1,300", "--cname=alias.test,target.test,20",
            "--host-record=mixed.test,192.0.2.2,40", "--host-record=mixed.test,2001:db8::2,30")
        var driver = try ResolverDriver(server: server.address)
        #expect(
            try driver.resolve("alias.test")
                == .addresses([try .init(parsing: "192.0.2.1", port: 443)], ttl: .seconds(20)))
        #expect(try driver.resolve("mixed.test").lifetime == .seconds(30))
    }

    @Test func aLifetimeOfZeroIsNoQueryWithoutEnd() throws {
        let server = try NameServer("--host-record=zero.test,192.0.2.1,0")
        var driver = try ResolverDriver(server: server.address) { $0.minimumLifetime = .seconds(3) }
        #expect(try driver.resolve("zero.test").lifetime == .seconds(3))
    }

    @Test func familiesAlternate() throws {
        let server = try NameServer(
            "--host-record=many.test,192.0.2.1,2001:db8::1", "--host-record=many.test,192.0.2.2,2001:db8::2",
            "--host-record=many.test,192.0.2.3")
        var driver = try ResolverDriver(server: server.address)
        guard case .addresses(let addresses, _) = try driver.resolve("many.test") else {
            Issue.record("no addresses")
            return
        }
        #expect(addresses.count == 5)
        for (left, right) in zip(addresses.prefix(4), addresses.prefix(4).dropFirst()) {
            #expect(left.family != right.family)
        }
    }

    @Test func failuresSayWhichAndNameTheName() throws {
        let server = try NameServer("--txt-record=text.test,hello")
        var driver = try ResolverDriver(server: server.address)
        #expect(try driver.resolve("missing.test") == .failed(.notFound))
        #expect(try driver.resolve("text.test") == .failed(.noAddresses))
        // dnsmasq has nobody to ask about other names and refuses.
        #expect([.failed(.refused), .failed(.noServer)].contains(try driver.resolve("elsewhere.example")))
        let errors: [ResolutionError] = [
            .notFound, .noAddresses, .timedOut, .serverFailure, .refused, .cancelled, .other("reason"),
        ]
        for error in errors {
            #expect(error.text(for: "gateway.test").contains("gateway.test"))
        }
    }

    @Test func aServerThatFailsIsSaidToFail() throws {
        let server = try DatagramSocket()
        var driver = try ResolverDriver(server: server.address) { $0.tries = 1 }
        driver.resolver.resolve(name: "broken.test", port: 1, id: 9)
        try driver.turn()
        for _ in 0..<2 {
            try server.answer { query in
                // The header's QR bit and RCODE 2, RFC 1035, section 4.1.1.
                var reply = query
                reply[2] |= 0x80
                reply[3] = (reply[3] & 0xf0) | 2
                return reply
            }
        }
        try driver.run(until: 1)
        #expect([.failed(.serverFailure), .failed(.noServer)].contains(driver.results[0].result))
        #expect(driver.results.map(\.id) == [9])
    }

    @Test func garbageFromTheServerIsNoAnswer() throws {
        let server = try DatagramSocket()
        var driver = try ResolverDriver(server: server.address) {
            $0.tries = 1
            $0.timeout = .milliseconds(200)
        }
        driver.resolver.resolve(name: "garbage.test", port: 1, id: 1)
        try driver.turn()
        for _ in 0..<2 {
            try server.answer { query in Array(query.prefix(7)) }
        }
        try driver.run(until: 1)
        guard case .failed = driver.results[0].result else {
            Issue.record("garbage was taken for an answer: \(driver.results)")
            return
        }
    }

    @Test func nobodyAnswers() throws {
        let blackHole = try DatagramSocket()
        var driver = try ResolverDriver(server: blackHole.address) {
            $0.timeout = .milliseconds(50)
            $0.tries = 2
        }
        #expect(driver.resolver.deadline == .never)
        driver.resolver.resolve(name: "silent.test", port: 1, id: 1)
        #expect(driver.resolver.deadline < .never)
        #expect(driver.resolver.queriesInFlight == 1)
        try driver.run(until: 1)
        #expect(driver.results.map(\.result) == [.failed(.timedOut)])
        #expect(driver.resolver.queriesInFlight == 0)
    }

    @Test func nobodyListens() throws {
        let port: UInt16
        do { port = try DatagramSocket().port }
        var driver = try ResolverDriver(server: try .init(parsing: "127.0.0.1", port: port)) {
            $0.timeout = .milliseconds(50)
            $0.tries = 2
        }
        guard case .failed(let error) = try driver.resolve("refused.test") else {
            Issue.record("an answer from nobody")
            return
        }
        #expect([.timedOut, .noServer].contains(error))
    }

    @Test func idleWatchesNothing() throws {
        let server = try NameServer("--host-record=a.test,192.0.2.1")
        var options = ResolverOptions()
        options.servers = [server.address]
        let idle = try Resolver(options: options)
        #expect(idle.takeWatchChanges().isEmpty)
        #expect(idle.deadline == .never)
        idle.resolve(name: "a.test", port: 1, id: 1)
        var poller = try Poller()
        var watched: Set<CInt> = []
        var results: [Resolution] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while results.isEmpty {
            try #require(ContinuousClock.now < deadline, "no answer")
            for change in idle.takeWatchChanges() {
                let token = EventToken(slot: UInt32(change.descriptor), tag: 0)
                if change.readiness.isEmpty {
                    watched.remove(change.descriptor)
                } else if watched.insert(change.descriptor).inserted {
                    try poller.add(change.descriptor, change.readiness, token)
                } else {
                    try poller.modify(change.descriptor, change.readiness, token)
                }
            }
            for index in 0..<(try poller.wait(milliseconds: 10_000)) {
                let event = poller.event(index)
                idle.process(event.readiness, event.token)
            }
            results += idle.takeResults()
        }
        for change in idle.takeWatchChanges() where change.readiness.isEmpty { watched.remove(change.descriptor) }
        #expect(watched.isEmpty)
        #expect(idle.deadline == .never)
    }

    @Test func manyAtOnceEachGetsItsOwn() throws {
        let server = try NameServer(
            "--host-record=one.test,192.0.2.1", "--host-record=two.test,192.0.2.2", "--host-record=three.test,192.0.2.3"
        )
        var driver = try ResolverDriver(server: server.address)
        let hosts = ["one.test": "192.0.2.1", "two.test": "192.0.2.2", "three.test": "192.0.2.3"]
        var asked: [UInt64: String] = [:]
        for (index, name) in (0..<50).flatMap({ _ in hosts.keys.sorted() }).enumerated() {
            asked[UInt64(index)] = name
            driver.resolver.resolve(name: name, port: 1, id: UInt64(index))
        }
        try driver.run(until: 150)
        #expect(Set(driver.results.map(\.id)).count == 150)
        for result in driver.results {
            #expect(asked[result.id] == result.name)
            #expect(result.result.hosts == [try #require(hosts[result.name])])
        }
    }

    @Test func destroyedInFlightEverythingIsGivenBack() throws {
        let blackHole = try DatagramSocket()
        weak var inbox: ResolverInbox?
        do {
            var driver = try ResolverDriver(server: blackHole.address)
            for id in 0..<50 {
                driver.resolver.resolve(name: "silent\(id).test", port: 1, id: UInt64(id))
            }
            try driver.turn()
            #expect(driver.resolver.queriesInFlight == 50)
            inbox = driver.resolver.inbox
            #expect(inbox != nil)
        }
        // Every query's callback holds the inbox until c-ares has called it.
        #expect(inbox == nil)
    }

    @Test func numericNamesNeedNoServerAndNeverExpire() throws {
        let blackHole = try DatagramSocket()
        var driver = try ResolverDriver(server: blackHole.address)
        for text in ["192.0.2.7", "2001:db8::7", "::1"] {
            let outcome = try driver.resolve(text, port: 80)
            #expect(outcome == .addresses([try .init(parsing: text, port: 80)], ttl: Resolution.permanent))
            let lifetime = try #require(outcome.lifetime)
            #expect(MonotonicTime.now() + lifetime.wholeNanoseconds == .never)
        }
    }

    @Test(arguments: [
        "", "a\0.test", String(repeating: "a.", count: 200) + "test", String(repeating: "x", count: 64) + ".test",
    ])
    func whatIsNoNameIsSaidSo(_ name: String) throws {
        let blackHole = try DatagramSocket()
        var driver = try ResolverDriver(server: blackHole.address) {
            $0.timeout = .milliseconds(50)
            $0.tries = 1
        }
        #expect(try driver.resolve(name) == .failed(.other("it is not a DNS name")))
    }
}
