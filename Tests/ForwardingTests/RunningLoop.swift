import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

/// An event loop in a thread of its own, with one relay (number 0) and one listener; ends with this object.
final class RunningLoop {
    let shared: LoopShared
    let gate = AdmissionGate(limit: 0)
    private(set) var address = SocketAddress.none
    private var thread: Thread?
    private var waiting: [LoopReport] = []
    private var poller: Poller

    /// - Parameters:
    ///   - listen: MPTCP or TCP.
    ///   - upstream: where to dial; an echo by default.
    init(
        listen: StreamProtocol = .tcp, upstream: UpstreamPlan = UpstreamPlan(kind: .echo, addresses: [], isName: false),
        index: Int = 0, host: String = "127.0.0.1", thread name: String = "test-loop", requiresMultipath: Bool = false
    ) throws {
        let shared = try LoopShared(index: index)
        self.shared = shared
        poller = try Poller()
        try poller.add(shared.reportsDescriptor, .readable, EventToken(slot: 0, tag: 0))
        let started = try Thread(name: name) {
            do throws(Errno) {
                var loop = try EventLoop(shared: shared) { shared.send(.resumeAccepting) }
                loop.run()
            } catch {
                shared.reportFailure(call: "epoll_create1", error)
            }
        }
        let plan = RelayPlan(
            id: 0, name: "test", upstreams: [upstream], connectTimeout: 5_000_000_000, idleTimeout: 0,
            halfCloseTimeout: 0, raceDelay: 250_000_000, clientUserTimeout: 0, clientNoDelay: .auto,
            upstreamSocket: SocketPlan(), requiresMultipath: requiresMultipath, gate: gate)
        shared.send(.addRelay(plan))
        let listener = try Socket.stream(.ipv4, listen)
        try listener.bind(to: try SocketAddress(parsing: host, port: 0))
        try listener.listen(backlog: 4096)
        address = try listener.localAddress()
        shared.send(.addListener(id: 0, relay: 0, descriptor: listener.release(), shared: false))
        thread = consume started
    }

    deinit {
        shared.send(.stop)
        thread.take()?.join()
    }

    /// A client's socket, connected.
    func connect(_ streamProtocol: StreamProtocol = .tcp) throws -> Socket {
        let socket = try Socket.stream(.ipv4, streamProtocol)
        _ = try socket.connect(to: address)
        try StreamPair.await_(socket.raw, .writable)
        return socket
    }

    /// Waits for the next report that `take` takes; others before it are dropped.
    func report<Value>(within timeout: Duration = .seconds(10), _ take: (LoopReport) -> Value?) throws -> Value {
        let deadline = ContinuousClock.now + timeout
        while ContinuousClock.now < deadline {
            while !waiting.isEmpty {
                if let value = take(waiting.removeFirst()) { return value }
            }
            _ = try poller.wait(milliseconds: timeout < .seconds(1) ? 100 : 1_000)
            waiting = shared.takeReports()
        }
        throw Errno.timedOut
    }

    /// All reports that came.
    func taken() -> [LoopReport] {
        defer { waiting = [] }
        return waiting + shared.takeReports()
    }

    /// The record of the next connection that ends.
    func record() throws -> ConnectionRecord {
        try report { report -> ConnectionRecord? in
            guard case .connectionEnded(let record) = report else { return nil }
            return record
        }
    }

    /// All open connections, in the parts that they came in.
    func list(request: UInt64) throws -> [[ConnectionSnapshot]] {
        shared.send(.list(request: request))
        var parts: [[ConnectionSnapshot]] = []
        while true {
            let (part, isLast) = try report { report -> ([ConnectionSnapshot], Bool)? in
                guard case .listed(request, let part, let isLast) = report else { return nil }
                return (part, isLast)
            }
            parts.append(part)
            if isLast { return parts }
        }
    }
}
