import CLinux
import LinuxSystem
import SystemPackage

/// Two connected, non-blocking stream sockets on loopback.
struct StreamPair: ~Copyable {
    let near: Socket
    let far: Socket

    static func make(_ streamProtocol: StreamProtocol, receiveBuffer: CInt = 0) throws -> StreamPair {
        let listener = try Socket.stream(.ipv4, streamProtocol)
        if receiveBuffer > 0 { try listener.set(.receiveBuffer, receiveBuffer) }
        try listener.bind(to: try SocketAddress(parsing: "127.0.0.1", port: 0))
        try listener.listen(backlog: 8)
        let near = try Socket.stream(.ipv4, streamProtocol)
        if receiveBuffer > 0 { try near.set(.sendBuffer, receiveBuffer) }
        _ = try near.connect(to: try listener.localAddress())
        var poller = try Poller()
        try poller.add(listener.raw, .readable, EventToken(slot: 0, tag: 0))
        guard try poller.wait(milliseconds: 5_000) == 1 else { throw Errno.timedOut }
        var peer = SocketAddress.none
        let far = try listener.accept(peer: &peer)
        try await_(near.raw, .writable)
        return StreamPair(near: near, far: far)
    }

    /// Waits until a socket is ready, at most five seconds.
    static func await_(_ raw: CInt, _ readiness: Readiness) throws {
        var poller = try Poller()
        try poller.add(raw, readiness, EventToken(slot: 0, tag: 0))
        guard try poller.wait(milliseconds: 5_000) == 1 else { throw Errno.timedOut }
    }
}

extension Socket {
    /// Writes what the socket takes of `bytes`.
    func write(_ bytes: [UInt8]) throws -> Int {
        try bytes.withUnsafeBytes { try send($0) }
    }

    /// Reads what is there, at most `count`.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try receive(into: $0) }
        return Array(bytes[..<read])
    }
}
