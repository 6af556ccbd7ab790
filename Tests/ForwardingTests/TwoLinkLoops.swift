import Lab
import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

/// A near and a far end as two loops of this process, in two hosts with two links: what clients send comes back.
final class TwoLinkLoops {
    let links: [Link]
    let nearHost: Host
    let farHost: Host
    let near: RunningLoop
    let far: RunningLoop

    init(
        _ lab: Lab, delays: [Duration], loss: Double = 0, watching: Bool = true, threads: String = "test-loop",
        requiring: (near: Bool, far: Bool) = (false, false)
    ) throws {
        nearHost = try lab.host("near")
        farHost = try lab.host("far")
        var links: [Link] = []
        for (index, delay) in delays.enumerated() {
            links.append(try lab.link(nearHost, farHost, name: "link\(index)", delay: delay, loss: loss))
        }
        self.links = links
        try nearHost.multipath(over: links)
        try farHost.mptcp()
        far = try farHost.inNamespace {
            try RunningLoop(listen: .mptcp, host: "0.0.0.0", thread: threads, requiresMultipath: requiring.far)
        }
        let target = try SocketAddress(parsing: links[0].address(of: farHost), port: far.address.port)
        near = try nearHost.inNamespace {
            try RunningLoop(
                upstream: UpstreamPlan(kind: .network(.mptcp), addresses: [target], isName: false), thread: threads,
                requiresMultipath: requiring.near)
        }
        if watching {
            near.shared.send(.watchStalls(timeout: 0))
            far.shared.send(.watchStalls(timeout: 0))
        }
        near.shared.send(.setLinks(try candidates()))
    }

    /// The near end's links: numbers 10, 11, ….
    func candidates() throws -> [LinkCandidate] {
        try links.enumerated().map { index, link in
            LinkCandidate(
                id: 10 + index, ipv4: try SocketAddress(parsing: link.address(of: nearHost), port: 0), ipv6: nil,
                priority: index, isBackup: false, isUp: true)
        }
    }

    /// A client of the near end, connected.
    func client() throws -> SocketBox {
        try nearHost.inNamespace { SocketBox(try near.connect()) }
    }

    /// Sends bytes and waits until as many came back, at most `seconds`.
    func exchange(_ client: SocketBox, bytes: Int = 100, seconds: Int = 20) throws {
        var sent = 0
        var received = 0
        let deadline = ContinuousClock.now + .seconds(seconds)
        let chunk = [UInt8](repeating: 7, count: min(bytes, 65_536))
        var poller = try Poller()
        try poller.add(client.socket.raw, [.readable, .writable], EventToken(slot: 0, tag: 0))
        while received < bytes {
            guard ContinuousClock.now < deadline else { throw Errno.timedOut }
            if sent < bytes, let count = try? client.socket.write(Array(chunk.prefix(bytes - sent))) {
                sent += count
                if sent == bytes { try poller.modify(client.socket.raw, .readable, EventToken(slot: 0, tag: 0)) }
            }
            _ = try poller.wait(milliseconds: 1_000)
            if let count = try? client.socket.read(65_536).count { received += count }
        }
    }

    /// Waits until a near connection has as many subflows as there are links.
    func join(_ client: SocketBox) throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            try exchange(client)
            let subflows = try near.list(request: 99).flatMap { $0 }.map(\.subflows.count)
            if subflows.contains(links.count) { return }
        }
        throw Errno.timedOut
    }
}
