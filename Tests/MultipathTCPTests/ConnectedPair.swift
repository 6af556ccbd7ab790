import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

/// A listener, a connection dialled to it, and the same connection as accepted.
struct ConnectedPair {
    let listener: MultipathListener
    let client: MultipathConnection
    let server: MultipathConnection

    init(
        clientMultipath: Bool = true, serverMultipath: Bool = true, host: String = "127.0.0.1",
        timeout: Duration = .seconds(15)
    ) throws {
        var options = MultipathListener.Options()
        options.multipath = serverMultipath
        listener = try MultipathListener(on: try SocketAddress(parsing: host, port: 0), options)
        var dialer = MultipathDialer()
        dialer.multipath = clientMultipath
        dialer.timeout = timeout
        client = try dialer.connect(to: listener.address)
        server = try listener.accept(timeout: .seconds(5))
    }

    /// Sends bytes there and back, and expects the same.
    func exchange(_ bytes: [UInt8] = Array("over and back".utf8)) throws {
        try client.send(bytes, timeout: .seconds(5))
        try server.send(try Self.receive(bytes.count, server), timeout: .seconds(5))
        let echoed = try Self.receive(bytes.count, client)
        #expect(echoed == bytes)
    }

    static func receive(_ count: Int, _ connection: MultipathConnection) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try connection.receive(upTo: count - bytes.count, timeout: .seconds(5))
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }

    /// Exchanges bytes until `condition` holds, for at most ten seconds.
    func exchange(until condition: () throws -> Bool) throws -> Bool {
        let deadline = MonotonicTime.now() + 10_000_000_000
        while MonotonicTime.now() < deadline {
            if try condition() { return true }
            try exchange()
        }
        return try condition()
    }
}
