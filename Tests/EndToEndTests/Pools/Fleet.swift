import Glibc
import Lab

/// Far ends in one host, each before a server of its own that says its number: far end `n` listens on port 7140 + n and
/// its server on 9000 + n.
final class Fleet: Sendable {
    let host: Host
    private let servers: NamedServers

    init(in host: Host, count: Int) async throws {
        self.host = host
        servers = try await NamedServers(in: host, ports: (1...count).map { 9000 + $0 })
    }

    /// Starts a far end.
    func start(_ number: Int) async throws -> BraidProcess {
        try await BraidProcess.start(
            """
            [[relay]]
            name = "far\(number)"
            listen = "mptcp://*:\(7140 + number)"
            upstream = "tcp://127.0.0.1:\(9000 + number)"
            """, in: host, daemon: "threads = 1\nlog-connections = false")
    }

    /// Starts far ends 1 to `count`.
    func start(count: Int) async throws -> [BraidProcess] {
        var braids: [BraidProcess] = []
        for number in 1...count { braids.append(try await start(number)) }
        return braids
    }

    /// Kills a far end and waits until its port refuses, which is when the kernel has closed its sockets.
    ///
    /// - Returns: that moment, in seconds of the monotonic clock.
    func kill(_ braid: BraidProcess, _ number: Int) async throws -> Double {
        try braid.signal(SIGKILL)
        _ = try await braid.process.finish()
        let deadline = ContinuousClock.now + .seconds(10)
        while try host.listens(port: UInt16(7140 + number)) {
            guard ContinuousClock.now < deadline else {
                throw WaitError(what: "far end \(number) listens no more", timeout: .seconds(10))
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return Self.now
    }

    /// The monotonic clock, as Python's `time.monotonic()`.
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A near end's relay over far ends.
    static func near(_ upstreams: [String], _ keys: String) -> String {
        let list = upstreams.map { "\"\($0)\"" }.joined(separator: ", ")
        return "[[relay]]\nname = \"near\"\nlisten = \"tcp://127.0.0.1:8080\"\nupstream = [\(list)]\n\(keys)\n"
    }

    /// The same over far ends `numbers` of this host.
    static func near(_ numbers: ClosedRange<Int>, _ keys: String) -> String {
        near(numbers.map { "mptcp://127.0.0.1:\(7140 + $0)" }, keys)
    }
}
