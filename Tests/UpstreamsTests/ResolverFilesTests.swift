import Foundation
import Glibc
import LinuxSystem
import Synchronization
import Testing

@testable import Upstreams

/// What `resolv.conf` and `/etc/hosts` say.
@Suite(.timeLimit(.minutes(2))) struct ResolverFilesTests {
    /// A file that is gone with the test.
    final class TemporaryFile {
        let path = NSTemporaryDirectory() + "braid-\(UUID().uuidString)"
        func write(_ text: String) throws {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        deinit { unlink(path) }
    }

    /// Everything but the server from the file: its port cannot be given there portably.
    private func options(_ file: TemporaryFile, _ server: SocketAddress) -> ResolverOptions {
        var options = ResolverOptions()
        options.configurationFile = file.path
        options.servers = [server]
        return options
    }

    @Test func searchDomainsAndNdots() throws {
        let server = try NameServer("--host-record=gateway.test,192.0.2.1", "--host-record=a.b.test,192.0.2.2")
        let file = TemporaryFile()
        try file.write("search test\noptions ndots:2\n")
        var driver = try ResolverDriver(Resolver(options: options(file, server.address)))
        #expect(try driver.resolve("gateway").hosts == ["192.0.2.1"])
        #expect(try driver.resolve("a.b").hosts == ["192.0.2.2"])
        #expect(try driver.resolve("gateway.test.").hosts == ["192.0.2.1"])
    }

    @Test func reloadReadsAgainAndLetsOldQueriesEnd() throws {
        let server = try DatagramSocket()
        let file = TemporaryFile()
        try file.write("search old.test\n")
        var driver = try ResolverDriver(Resolver(options: options(file, server.address)))
        driver.resolver.resolve(name: "gateway", port: 1, id: 1)
        try driver.turn()
        try file.write("search new.test\n")
        try driver.resolver.reload()
        driver.resolver.resolve(name: "gateway", port: 1, id: 2)
        try driver.turn()
        #expect(driver.resolver.queriesInFlight == 2)
        // A and AAAA of both; an answer of QR and RCODE 3 (NXDOMAIN), RFC 1035, section 4.1.1.
        var domains: [String] = []
        for _ in 0..<4 {
            try server.answer { query in
                let text = String(decoding: query, as: UTF8.self)
                domains.append(text.contains("old") ? "old" : text.contains("new") ? "new" : "other")
                var reply = query
                reply[2] |= 0x80
                reply[3] = (reply[3] & 0xf0) | 3
                return reply
            }
        }
        #expect(domains.sorted() == ["new", "new", "old", "old"])
        // The search ends with the name as it is.
        let descriptor = server.descriptor
        let rest = try LinuxSystem.Thread(name: "server") {
            for _ in 0..<4 {
                try? DatagramSocket.answer(descriptor) { query in
                    var reply = query
                    reply[2] |= 0x80
                    reply[3] = (reply[3] & 0xf0) | 3
                    return reply
                }
            }
        }
        try driver.run(until: 2)
        rest.join()
        #expect(driver.results.map(\.result) == [.failed(.notFound), .failed(.notFound)])
        #expect(driver.resolver.queriesInFlight == 0)
        #expect(driver.resolver.deadline == .never)
    }

    /// Runs a closure in a thread with a mount namespace of its own, in which `hosts` is `/etc/hosts`.
    private func withHostsFile<Result: Sendable>(
        _ hosts: String, _ body: @escaping @Sendable () throws -> Result
    ) throws -> Result {
        let file = TemporaryFile()
        try file.write(hosts)
        let path = file.path
        let box = OutcomeBox<Result>()
        let thread = try LinuxSystem.Thread(name: "hosts") {
            box.set(
                Swift.Result {
                    guard unshareMounts() == 0,
                        mount("none", "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) == 0,
                        mount(path, "/etc/hosts", nil, UInt(MS_BIND), nil) == 0
                    else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                    return try body()
                })
        }
        thread.join()
        return try #require(box.take()).get()
    }

    @Test func hostsFileComesFirstWithALifetimeOfItsOwn() throws {
        let outcomes = try withHostsFile("192.0.2.33 file.test\n2001:db8::33 file.test other.test\n") {
            let blackHole = try DatagramSocket()
            var driver = try ResolverDriver(server: blackHole.address) { $0.hostsLifetime = .seconds(77) }
            return [try driver.resolve("file.test"), try driver.resolve("other.test")]
        }
        #expect(outcomes[0].hosts.map(Set.init) == ["192.0.2.33", "2001:db8::33"])
        #expect(outcomes[0].lifetime == .seconds(77))
        #expect(outcomes[1].hosts == ["2001:db8::33"])
    }
}

/// A value handed from one thread to the one that joins it.
private final class OutcomeBox<Value: Sendable>: Sendable {
    private let value = Mutex<Swift.Result<Value, any Error>?>(nil)
    func set(_ new: Swift.Result<Value, any Error>) { value.withLock { $0 = new } }
    func take() -> Swift.Result<Value, any Error>? { value.withLock { $0 } }
}

/// unshare(2) with CLONE_NEWNS, which Swift's Glibc module hides behind _GNU_SOURCE. Affects the calling thread only.
private func unshareMounts() -> CInt {
    typealias Unshare = @convention(c) (CInt) -> CInt
    guard let symbol = dlsym(nil, "unshare") else { return -1 }
    return unsafeBitCast(symbol, to: Unshare.self)(0x0002_0000)
}
