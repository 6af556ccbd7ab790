import LinuxSystem
import Testing

@testable import Upstreams

@Suite struct ServiceAnswerTests {
    /// A name in wire form.
    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func short(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }

    private static func record(_ owner: [UInt8], type: Int, ttl: Int, _ data: [UInt8]) -> [UInt8] {
        owner + short(type) + short(1) + short(ttl >> 16) + short(ttl & 0xFFFF) + short(data.count) + data
    }

    private static func message(answers: [[UInt8]]) -> [UInt8] {
        [0, 1, 0x81, 0x80] + short(1) + short(answers.count) + [0, 0, 0, 0] + name("_braid._tcp.a.test") + short(33)
            + short(1) + answers.flatMap { $0 }
    }

    private static func service(_ priority: Int, _ weight: Int, _ port: Int, _ target: [UInt8]) -> [UInt8] {
        short(priority) + short(weight) + short(port) + target
    }

    /// Two records, the second's target compressed: "far2" and a pointer into the question.
    private static let good = message(answers: [
        record([0xC0, 12], type: 33, ttl: 300, service(10, 60, 7143, name("far1.a.test"))),
        record([0xC0, 12], type: 33, ttl: 200, service(5, 0, 7144, [4] + Array("far2".utf8) + [0xC0, 24])),
        record([0xC0, 12], type: 1, ttl: 1, [192, 0, 2, 1]),
    ])

    @Test func reads() throws {
        let answer = try #require(ServiceAnswer(Self.good))
        #expect(answer.lifetime == 200)
        #expect(
            answer.records == [
                ServiceRecord(priority: 5, weight: 0, port: 7144, target: "far2.a.test"),
                ServiceRecord(priority: 10, weight: 60, port: 7143, target: "far1.a.test"),
            ])
    }

    @Test func anAliasThatExpiresEarlierCounts() throws {
        let message = Self.message(answers: [
            Self.record([0xC0, 12], type: 5, ttl: 20, Self.name("b.test")),
            Self.record(Self.name("b.test"), type: 33, ttl: 300, Self.service(0, 0, 1, Self.name("c.test"))),
        ])
        #expect(try #require(ServiceAnswer(message)).lifetime == 20)
    }

    /// Thousands of names that go through thousands of pointers each would take the main thread's time.
    @Test func aNameGoesThroughNoMorePointersThanItHasLabels() {
        func chained(_ count: Int) -> [UInt8] {
            var data = Self.name("c.test")
            var target = 0
            let start = Self.message(answers: []).count + 12
            for _ in 0..<count {
                let place = start + data.count
                data += [0xC0 | UInt8((start + target) >> 8), UInt8((start + target) & 255)]
                target = place - start
            }
            let pointer = [0xC0 | UInt8((start + target) >> 8), UInt8((start + target) & 255)]
            return Self.message(answers: [
                Self.record([0xC0, 12], type: 1, ttl: 1, data),
                Self.record([0xC0, 12], type: 33, ttl: 9, Self.service(0, 0, 1, pointer)),
            ])
        }
        #expect(ServiceAnswer(chained(100))?.records.map(\.target) == ["c.test"])
        #expect(ServiceAnswer(chained(200)) == nil)
    }

    @Test func aTargetOfDotMeansNotOffered() throws {
        let message = Self.message(answers: [Self.record([0xC0, 12], type: 33, ttl: 9, Self.service(0, 0, 0, [0]))])
        #expect(try #require(ServiceAnswer(message)).records.isEmpty)
    }

    @Test func aNegativeLifetimeIsNone() throws {
        let message = Self.message(answers: [
            Self.record([0xC0, 12], type: 33, ttl: 0x8000_0001, Self.service(0, 0, 1, Self.name("c.test")))
        ])
        #expect(try #require(ServiceAnswer(message)).lifetime == 0)
    }

    @Test func nothingIsReadOfAMessageCutAnywhere() {
        // The last record is an address: without it all of it must be missing, for the header promises three.
        for length in 0..<Self.good.count {
            #expect(ServiceAnswer(Array(Self.good[..<length])) == nil, "cut at \(length)")
        }
    }

    @Test(
        arguments: [
            ("a pointer to itself", [0xC0, 61]), ("a pointer forwards", [0xC0, 200]),
            ("a pointer to nowhere", [0xFF, 0xFF]),
            ("a label type of long ago", [0x41, 0x41, 0]), ("a dot in a label", [3, 0x61, 0x2E, 0x62, 0]),
            ("a space in a label", [1, 0x20, 0]), ("a label past the end", [63, 0x61]),
        ] as [(String, [UInt8])])
    func refusesNames(what: String, target: [UInt8]) {
        let message = Self.message(answers: [Self.record([0xC0, 12], type: 33, ttl: 9, Self.service(0, 0, 1, target))])
        #expect(ServiceAnswer(message) == nil, "\(what)")
    }

    @Test func refusesNamesThatAreTooLong() {
        let label = [UInt8(63)] + [UInt8](repeating: 0x61, count: 63)
        let long: [UInt8] = label + label + label + label + label + [0]
        let message = Self.message(answers: [Self.record([0xC0, 12], type: 33, ttl: 9, Self.service(0, 0, 1, long))])
        #expect(ServiceAnswer(message) == nil)
    }

    @Test func refusesRecordsOfAnotherLength() {
        for data in [[], [0, 0, 0, 0], Self.service(0, 0, 1, Self.name("c.test")) + [0]] as [[UInt8]] {
            #expect(ServiceAnswer(Self.message(answers: [Self.record([0xC0, 12], type: 33, ttl: 9, data)])) == nil)
        }
    }

    @Test func withoutServicesThereIsNoAnswer() {
        #expect(ServiceAnswer(Self.message(answers: [Self.record([0xC0, 12], type: 1, ttl: 1, [1, 2, 3, 4])])) == nil)
        #expect(ServiceAnswer(Self.message(answers: [])) == nil)
    }

    @Test func anyBytesAreSurvived() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var message = Self.good
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                message[Int.random(in: 0..<message.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            _ = ServiceAnswer(message)
        }
    }

    // MARK: From a real server

    @Test func aRealServersAnswer() throws {
        let server = try NameServer(
            "--srv-host=_braid._tcp.fleet.test,far1.test,7143,10,60", "--host-record=far1.test,192.0.2.1,60",
            "--srv-host=_braid._tcp.fleet.test,far2.test,7144,20,5", "--local-ttl=42")
        var driver = try ResolverDriver(server: server.address)
        driver.resolver.resolveService(name: "_braid._tcp.fleet.test", id: 7)
        try driver.run(until: 1)
        #expect(
            driver.results == [
                Resolution(
                    id: 7, name: "_braid._tcp.fleet.test",
                    result: .services(
                        [
                            ServiceRecord(priority: 10, weight: 60, port: 7143, target: "far1.test"),
                            ServiceRecord(priority: 20, weight: 5, port: 7144, target: "far2.test"),
                        ], ttl: .seconds(42)))
            ])
        driver.resolver.resolveService(name: "_braid._tcp.none.test", id: 8)
        driver.resolver.resolveService(name: "far1.test", id: 9)
        driver.resolver.resolveService(name: "a\0b", id: 10)
        try driver.run(until: 4)
        let failures = Dictionary(uniqueKeysWithValues: driver.results.dropFirst().map { ($0.id, $0.result) })
        #expect(failures[8] == .failed(.notFound))
        #expect(failures[9] == .failed(.noServices))
        #expect(failures[10] == .failed(.other("it is not a DNS name")))
    }
}
