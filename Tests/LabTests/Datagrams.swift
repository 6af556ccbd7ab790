import Glibc
import Lab

/// A UDP socket of this process in a host of the lab.
struct Datagrams: ~Copyable {
    private let socket: CInt

    /// Bound to an IPv4 address and port of the host.
    init(_ host: Host, _ address: String, port: UInt16) throws {
        socket = try host.inNamespace { () throws(LabError) -> CInt in
            // Not for what other tests start meanwhile: it would keep the address in use.
            let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard socket >= 0 else { throw LabError("socket") }
            var local = Self.name(address, port)
            // A process that another test has just forked holds the socket of before until it becomes another program.
            let deadline = ContinuousClock.now + .seconds(2)
            var bound: CInt
            repeat {
                bound = withUnsafePointer(to: &local) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
            } while bound != 0 && errno == EADDRINUSE && ContinuousClock.now < deadline
            guard bound == 0 else {
                close(socket)
                throw LabError("bind \(address):\(port)")
            }
            return socket
        }
    }

    deinit {
        close(socket)
    }

    /// Sends one datagram.
    func send(_ bytes: [UInt8], to address: String, port: UInt16) throws {
        var remote = Self.name(address, port)
        let sent = withUnsafePointer(to: &remote) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard sent == bytes.count else { throw LabError("send to \(address):\(port)") }
    }

    /// The next datagram, or `nil` if none comes in time.
    func receive(within timeout: Duration) -> [UInt8]? {
        var polled = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        let milliseconds = timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        guard poll(&polled, 1, CInt(milliseconds)) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 2048)
        let got = recv(socket, &buffer, buffer.count, 0)
        return got < 0 ? nil : Array(buffer[..<got])
    }

    private static func name(_ address: String, _ port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        return name
    }
}
