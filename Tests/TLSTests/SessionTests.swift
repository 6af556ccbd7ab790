import Foundation
import LinuxSystem
import TLS
import Testing

/// Two sessions that talk to each other over a pair of sockets.
@Suite struct SessionTests {
    private static let key = TLSContext.SharedKey(identity: Array("a".utf8), key: [UInt8](repeating: 7, count: 32))

    private static func contexts() throws -> (server: TLSContext, client: TLSContext) {
        var setup = TLSContext.Setup()
        setup.sharedKeys = [key]
        return (try TLSContext(isServer: true, setup), try TLSContext(isServer: false, setup))
    }

    /// Both ends of one connection.
    private final class Pair {
        private var sockets: [Int32] = [-1, -1]
        let server: TLSSession
        let client: TLSSession

        init(_ contexts: (server: TLSContext, client: TLSContext), place: UInt64 = 1) throws {
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &sockets) == 0)
            server = try #require(contexts.server.begin(sockets[0]))
            client = try #require(contexts.client.begin(sockets[1], place: place))
        }

        deinit {
            server.end()
            client.end()
            close(sockets[0])
            close(sockets[1])
        }

        /// Until both are done, or one has failed.
        func shake() -> (server: Int32, client: Int32) {
            var answers: (server: Int32, client: Int32) = (-EAGAIN, -EAGAIN)
            for _ in 0..<20 {
                if answers.client == -EAGAIN { answers.client = client.handshake() }
                if answers.server == -EAGAIN { answers.server = server.handshake() }
            }
            return answers
        }

        /// A FIN without a word.
        func cutClient() { shutdown(sockets[1], Int32(SHUT_WR)) }
    }

    private static func receive(_ session: TLSSession, _ count: Int = 65536) -> (answer: Int64, bytes: [UInt8]) {
        var buffer = [UInt8](repeating: 0, count: count)
        let answer = buffer.withUnsafeMutableBytes { session.receive($0.baseAddress, $0.count) }
        return (answer, Array(buffer.prefix(max(0, Int(answer)))))
    }

    private static func send(_ session: TLSSession, _ bytes: [UInt8]) -> Int64 {
        bytes.withUnsafeBytes { session.send($0.baseAddress, $0.count) }
    }

    @Test func bytesArriveAndSoDoesTheEnd() throws {
        let pair = try Pair(try Self.contexts())
        #expect(pair.shake() == (0, 0))
        #expect(Self.send(pair.client, [1, 2, 3]) == 3)
        #expect(Self.receive(pair.server).bytes == [1, 2, 3])
        #expect(Self.receive(pair.server).answer == Int64(-EAGAIN))
        #expect(pair.client.finish() == 0)
        #expect(Self.receive(pair.server).answer == 0)
        // The other direction goes on.
        #expect(Self.send(pair.server, [4]) == 1)
        #expect(Self.receive(pair.client).bytes == [4])
    }

    @Test func moreThanThereIsRoomForIsTold() throws {
        let pair = try Pair(try Self.contexts())
        #expect(pair.shake() == (0, 0))
        #expect(Self.send(pair.client, [UInt8](repeating: 5, count: 40_000)) == 40_000)
        let first = Self.receive(pair.server, 10_000)
        #expect(first.bytes.count == 10_000)
        #expect(pair.server.hasMore)
        var rest = 0
        while pair.server.hasMore {
            let next = Self.receive(pair.server, 7_000)
            guard next.answer > 0 else { break }
            rest += next.bytes.count
        }
        #expect(rest == 30_000)
    }

    @Test func aSocketThatTakesNoMoreHoldsTheSender() throws {
        let pair = try Pair(try Self.contexts())
        #expect(pair.shake() == (0, 0))
        let piece = [UInt8](repeating: 9, count: 60_000)
        var sent = 0
        while Self.send(pair.client, piece) == 60_000 {
            sent += 60_000
            try #require(sent < 100_000_000)
        }
        #expect(pair.client.hasUnsent)
        #expect(pair.client.finish() == -EAGAIN)
        var received = 0
        for _ in 0..<10_000 {
            let next = Self.receive(pair.server)
            if next.answer > 0 { received += next.bytes.count }
            if next.answer == 0 { break }
            _ = pair.client.finish()
        }
        #expect(received == sent)
        #expect(!pair.client.hasUnsent)
    }

    @Test func anEndThatWasNotSaidIsAnError() throws {
        let pair = try Pair(try Self.contexts())
        #expect(pair.shake() == (0, 0))
        pair.cutClient()
        #expect(Self.receive(pair.server).answer == Int64(-ECONNRESET))
        #expect(Self.receive(pair.server).answer == Int64(-ECONNRESET))
        #expect(pair.server.failure.contains("farewell"))
    }

    @Test func aTicketIsUsedOnceAndAtItsPlaceOnly() throws {
        // Without keys a session is known only if it is resumed; so the certificate's contexts are needed.
        let certificate = try SelfSigned.make()
        var setup = TLSContext.Setup()
        setup.certificate = certificate.certificate
        setup.key = certificate.key
        let contexts = (server: try TLSContext(isServer: true, setup), client: try TLSContext(isServer: false, .init()))
        var known: [Bool] = []
        for place: UInt64 in [1, 2, 1, 1, 2] {
            let pair = try Pair(contexts, place: place)
            #expect(pair.shake() == (0, 0))
            known.append(pair.server.wasKnown)
            // The ticket comes after the handshake.
            #expect(Self.receive(pair.client).answer == Int64(-EAGAIN))
        }
        #expect(known == [false, false, true, true, true])
        // A new context, as after a reload, knows none of the old tickets.
        let pair = try Pair((server: try TLSContext(isServer: true, setup), client: contexts.client))
        #expect(pair.shake() == (0, 0))
        #expect(!pair.server.wasKnown)
    }

    @Test func aWrongKeyIsRefused() throws {
        let contexts = try Self.contexts()
        var setup = TLSContext.Setup()
        setup.sharedKeys = [.init(identity: Self.key.identity, key: [UInt8](repeating: 8, count: 32))]
        let pair = try Pair((server: contexts.server, client: try TLSContext(isServer: false, setup)))
        let answers = pair.shake()
        #expect(answers.server == -EPROTO)
        #expect(answers.client == -EPROTO)
        #expect(!pair.server.failure.isEmpty)
    }

    /// Whatever a peer sends instead of what is due, the session ends with an error, and with nothing worse.
    @Test func anyByteMayBeWrong() throws {
        let contexts = try Self.contexts()
        var generator = SystemRandomNumberGenerator()
        for round in 0..<500 {
            var sockets: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &sockets) == 0)
            let client = try #require(contexts.client.begin(sockets[1]))
            #expect(client.handshake() == -EAGAIN)
            var hello = [UInt8](repeating: 0, count: 4096)
            let count = recv(sockets[0], &hello, hello.count, 0)
            try #require(count > 0)
            hello = Array(hello.prefix(count))
            if round % 2 == 0 {
                hello[Int.random(in: 0..<count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            } else {
                hello = Array(hello.prefix(Int.random(in: 0..<count, using: &generator)))
            }
            let server = try #require(contexts.server.begin(sockets[0], early: hello))
            let answer = server.handshake()
            #expect(answer == -EAGAIN || answer == -EPROTO, "\(answer)")
            server.end()
            client.end()
            close(sockets[0])
            close(sockets[1])
        }
    }

    @Test func whatIsNoPEMIsNamed() throws {
        let good = try SelfSigned.make()
        func failure(_ change: (inout TLSContext.Setup) -> Void) -> TLSContext.Failure.Part? {
            var setup = TLSContext.Setup()
            setup.certificate = good.certificate
            setup.key = good.key
            change(&setup)
            do {
                _ = try TLSContext(isServer: true, setup)
                return nil
            } catch { return error.part }
        }
        #expect(failure { _ in } == nil)
        #expect(failure { $0.certificate = "nonsense" } == .certificate)
        #expect(failure { $0.certificate = good.certificate + "-----BEGIN CERTIFICATE-----\nAAAA\n" } == .certificate)
        #expect(failure { $0.key = "" } == .key)
        #expect(failure { $0.key = String(good.key.prefix(60)) } == .key)
        #expect(failure { $0.authorities = "none" } == .authorities)
    }
}

/// A certificate that vouches for itself, by the openssl program.
enum SelfSigned {
    static func make() throws -> (certificate: String, key: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=test",
            "-keyout", "-", "-out", "-",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let start = try #require(text.range(of: "-----BEGIN CERTIFICATE-----"))
        return (String(text[start.lowerBound...]), String(text[..<start.lowerBound]))
    }
}
