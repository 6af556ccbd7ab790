import Foundation
import Glibc
import LinuxSystem

/// A real dnsmasq on a free port of loopback, for one test; ended with it.
final class NameServer {
    let address: SocketAddress
    private let process: pid_t
    // Kept open: dnsmasq goes on writing its log there.
    private let log: LinuxSystem.Pipe

    struct Failure: Error { let output: String }

    /// - Parameter records: dnsmasq's own options, as `--host-record=a.test,192.0.2.1,300`.
    init(_ records: String...) throws {
        // Between finding a free port and dnsmasq's bind another test may take it, so try again then.
        var output = ""
        for _ in 0..<10 {
            let port = try DatagramSocket().port
            let arguments =
                [
                    "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
                    "--listen-address=127.0.0.1", "--port=\(port)", "--local=/test/", "--pid-file=",
                ] + records
            let log = try LinuxSystem.Pipe(capacity: 65536)
            let process = try Self.spawn("/usr/sbin/dnsmasq", arguments, standardError: log.writeEnd.raw)
            output = Self.start(log.readEnd.raw)
            if output.contains("started, version") {
                self.process = process
                self.log = log
                address = try SocketAddress(parsing: "127.0.0.1", port: port)
                return
            }
            Self.end(process)
        }
        throw Failure(output: output)
    }

    private static func spawn(_ path: String, _ arguments: [String], standardError: CInt) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, standardError, 2)
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let error = posix_spawn(&process, path, &actions, nil, &words, environ)
        guard error == 0 else { throw Failure(output: "\(path): \(String(cString: strerror(error)))") }
        return process
    }

    /// Reads until dnsmasq says that it serves, or that it will not; a few seconds at most.
    private static func start(_ log: CInt) -> String {
        var output = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !output.contains("started, version"), !output.contains("failed") {
            var wait = pollfd(fd: log, events: Int16(POLLIN), revents: 0)
            if poll(&wait, 1, 10_000) <= 0 { break }
            let count = read(log, &buffer, buffer.count)
            if count <= 0 { break }
            output += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        return output
    }

    private static func end(_ process: pid_t) {
        // Test threads may have SIGTERM blocked, and children inherit that.
        kill(process, SIGKILL)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    deinit { Self.end(process) }
}

/// A UDP socket on a free port of loopback: as it is a DNS server that never answers; it can be made to answer.
final class DatagramSocket {
    let descriptor: CInt
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | 0o2000000, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard bound else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        // What never comes must not hang the test.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        port = UInt16(bigEndian: address.sin_port)
    }

    var address: SocketAddress {
        get throws { try SocketAddress(parsing: "127.0.0.1", port: port) }
    }

    /// Waits for one query and answers it with what `answer` makes of it.
    func answer(_ answer: ([UInt8]) -> [UInt8]) throws {
        try Self.answer(descriptor, answer)
    }

    /// The same from another thread; the socket must outlive it.
    static func answer(_ descriptor: CInt, _ answer: ([UInt8]) -> [UInt8]) throws {
        var buffer = [UInt8](repeating: 0, count: 4096)
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &peer) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                let count = recvfrom(descriptor, &buffer, buffer.count, 0, peer, &length)
                guard count >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
                let reply = answer(Array(buffer.prefix(count)))
                _ = sendto(descriptor, reply, reply.count, 0, peer, length)
            }
        }
    }

    deinit { close(descriptor) }
}
