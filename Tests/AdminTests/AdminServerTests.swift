import LinuxSystem
import SystemPackage
import Testing

@testable import Admin

/// The server on sockets of the test's own, before a daemon that answers as the test wants.
@Suite struct AdminServerTests {
    /// Refuses every list, and counts what else it is asked.
    private final class Backend: AdminBackend {
        func status() -> StatusView { StatusView() }
        func metrics() -> MetricsView { MetricsView() }
        func setFrequentEvents(wanted: Bool) {}
        func awaitActivity() {}
        func submit(_ request: AdminRequest) -> Bool {
            switch request {
            case .list(let slice): slice(.refused)
            case .reload(_, let answer): answer(.reloaded)
            case .close(_, _, let answer): answer(true)
            case .link(let name, _, _, let answer): answer(.unknown(names: [name]))
            case .upstream(let relay, _, _, let answer): answer(.unknownRelay(names: [relay]))
            case .paths(let answer): answer(PathsView())
            case .ping(let answer): answer(true)
            }
            return true
        }
    }

    private struct Listening: ~Copyable {
        let socket: Socket
        let address: SocketAddress

        init() throws {
            let socket = try Socket.stream(.ipv4, .tcp)
            try socket.bind(to: try SocketAddress(parsing: "127.0.0.1", port: 0))
            try socket.listen(backlog: 8)
            address = try socket.localAddress()
            self.socket = socket
        }

        consuming func take() -> Socket { socket }
    }

    /// One request, and the whole answer.
    private func ask(_ method: String, _ path: String, at address: SocketAddress) throws -> String {
        let socket = try Socket.stream(.ipv4, .tcp)
        _ = try socket.connect(to: address)
        var poller = try Poller(capacity: 1)
        try poller.add(socket.raw, .writable, EventToken(slot: 0, tag: 0))
        guard try poller.wait(milliseconds: 20_000) == 1 else { throw Errno.timedOut }
        let request = Array("\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        _ = try request.withUnsafeBytes { try socket.send($0) }
        try poller.modify(socket.raw, .readable, EventToken(slot: 0, tag: 0))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            guard try poller.wait(milliseconds: 20_000) == 1 else { throw Errno.timedOut }
            let count = try chunk.withUnsafeMutableBytes { try socket.receive(into: $0) }
            if count == 0 { return String(decoding: answer, as: UTF8.self) }
            answer += chunk[..<count]
        }
    }

    private func withServer(owner: Bool, _ body: (SocketAddress) throws -> Void) throws {
        let server = AdminServer(backend: Backend(), hosts: [], capacity: 8) { error in Issue.record(error) }
        let listening = try Listening()
        let address = listening.address
        if owner { try server.serveOwner(listening.take()) } else { try server.serveReaders(listening.take()) }
        defer { #expect(throws: Never.self) { try server.stop() } }
        try body(address)
    }

    /// No Unix socket, so the kernel names nobody; whoever it is may look, and change nothing.
    @Test func who_is_not_named_changes_nothing() throws {
        try withServer(owner: true) { address in
            for (method, path) in [("POST", "/v1/reload"), ("DELETE", "/v1/connections/257")] {
                let answer = try ask(method, path, at: address)
                #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("does not say who asks"), "\(answer)")
            }
            #expect(try ask("GET", "/v1/status", at: address).hasPrefix("HTTP/1.1 200 "))
        }
    }

    /// A list that the daemon refuses is answered at once.
    @Test func a_refused_list_is_said() throws {
        try withServer(owner: false) { address in
            let began = ContinuousClock.now
            for path in ["/v1/connections", "/v1/busiest"] {
                let answer = try ask("GET", path, at: address)
                #expect(answer.hasPrefix("HTTP/1.1 503 "), "\(answer)")
            }
            #expect(ContinuousClock.now - began < .seconds(8))
        }
    }

    /// What is no listening socket cannot be served, and that is said.
    @Test func a_socket_that_cannot_be_served_is_an_error() throws {
        let server = AdminServer(backend: Backend(), hosts: [], capacity: 8) { error in Issue.record(error) }
        defer { #expect(throws: Never.self) { try server.stop() } }
        let counter = try EventCounter()
        let raw = counter.descriptor.raw
        #expect(throws: (any Error).self) {
            try server.serveReaders(Socket(owning: try duplicate(raw)))
        }
    }

    /// A descriptor of its own, for NIO closes what it cannot use.
    private func duplicate(_ raw: CInt) throws -> CInt { try FileDescriptor(rawValue: raw).duplicate().rawValue }
}
