import Foundation
import Glibc
import Lab
import Synchronization

/// An error of a system call.
struct SystemError: Error, CustomStringConvertible {
    let description: String
    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

@discardableResult
func checked(_ answer: Int32, _ call: String) throws -> Int32 {
    guard answer >= 0 else { throw SystemError(call) }
    return answer
}

/// Sockets of the two ends, made in their hosts and used from threads of this process.
enum Plug {
    static let multipath: Int32 = 262

    /// A listening socket on every IPv4 address.
    ///
    /// - Parameter congestion: Congestion control of what it accepts; `nil`: the system's.
    static func listen(
        in host: LabHost, port: UInt16, protocol number: Int32, congestion: String? = nil
    ) throws -> Int32 {
        try host.inNamespace { () throws -> Int32 in
            let raw = try checked(
                socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), number), "socket")
            var one: Int32 = 1
            setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &one, 4)
            try set(raw, congestion: congestion)
            var address = try inet("0.0.0.0", port)
            try checked(withAddress(&address) { bind(raw, $0, $1) }, "bind")
            try checked(Glibc.listen(raw, 4096), "listen")
            return raw
        }
    }

    /// A connected socket.
    static func connect(
        in host: LabHost, from source: String?, to target: String, port: UInt16, protocol number: Int32,
        congestion: String? = nil
    ) throws -> Int32 {
        try host.inNamespace { () throws -> Int32 in
            let raw = try checked(
                socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), number), "socket")
            try set(raw, congestion: congestion)
            if let source {
                var address = try inet(source, 0)
                try checked(withAddress(&address) { bind(raw, $0, $1) }, "bind")
            }
            var address = try inet(target, port)
            try checked(withAddress(&address) { Glibc.connect(raw, $0, $1) }, "connect")
            return raw
        }
    }

    private static func set(_ raw: Int32, congestion: String?) throws {
        guard let congestion else { return }
        // Not by sysctl: in a namespace that takes only what everybody may use.
        try checked(
            setsockopt(raw, Int32(IPPROTO_TCP), TCP_CONGESTION, congestion, socklen_t(congestion.utf8.count)),
            "TCP_CONGESTION \(congestion)")
    }

    static func set(_ raw: Int32, sendBuffer: Int) {
        var value = Int32(clamping: sendBuffer)
        // Beyond net.core.wmem_max, which is what root's SO_SNDBUFFORCE is for.
        setsockopt(raw, SOL_SOCKET, SO_SNDBUFFORCE, &value, 4)
    }

    private static func inet(_ text: String, _ port: UInt16) throws -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, text, &address.sin_addr) == 1 else { throw SystemError("inet_pton \(text)") }
        return address
    }

    private static func withAddress(_ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32)
        -> Int32
    {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}

/// What a receiver saw: how many bytes it had when.
struct Arrivals: Sendable {
    /// Seconds since the start, and bytes up to then.
    var points: [(time: Double, bytes: Int)] = []
    /// Of a ping-pong: when each began, and how long it took.
    var roundTrips: [(began: Double, took: Double)] = []

    /// The longest round trip that was under way at a time or later.
    func worstRoundTrip(from: Double) -> Double {
        roundTrips.filter { $0.began + $0.took >= from }.map(\.took).max() ?? .infinity
    }

    /// How long after a time the next bytes came; `nil` when none did.
    func silence(after time: Double) -> Double? { points.first { $0.time > time }.map { $0.time - time } }

    /// Megabits a second between two times.
    func rate(from: Double, to: Double) -> Double {
        Double(bytes(at: to) - bytes(at: from)) * 8 / 1e6 / (to - from)
    }

    /// The longest time without a byte, in seconds, from a time on.
    func longestGap(from: Double, to: Double) -> Double {
        var last = from
        var longest = 0.0
        for point in points where point.time >= from && point.time <= to {
            longest = max(longest, point.time - last)
            last = point.time
        }
        return max(longest, to - last)
    }

    private func bytes(at time: Double) -> Int {
        points.last { $0.time <= time }?.bytes ?? 0
    }
}

/// What happens while traffic runs: it takes as long as it is to run. It is given the seconds since the start.
typealias Meanwhile = (_ now: @escaping () -> Double) throws -> Void

/// Waits.
func pause(_ seconds: Double) { usleep(UInt32(max(0, seconds) * 1e6)) }

/// Sends on one socket as fast as it goes and receives on another, each in a thread.
final class Bulk: Sendable {
    private let arrivals = Mutex(Arrivals())
    private let done = Mutex(0)

    func run(sender: Int32, receiver: Int32, meanwhile: Meanwhile) rethrows -> Arrivals {
        let start = monotonicSeconds()
        thread {
            let buffer = [UInt8](repeating: 0x42, count: 256 * 1024)
            while send(sender, buffer, buffer.count, Int32(MSG_NOSIGNAL)) > 0 {}
        }
        thread { [self] in
            var buffer = [UInt8](repeating: 0, count: 1024 * 1024)
            var total = 0
            while true {
                let count = recv(receiver, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                total += count
                let time = monotonicSeconds() - start
                arrivals.withLock { $0.points.append((time, total)) }
            }
        }
        defer {
            shutdown(sender, Int32(SHUT_RDWR))
            shutdown(receiver, Int32(SHUT_RDWR))
            while done.withLock({ $0 }) < 2 { usleep(5000) }
        }
        try meanwhile { monotonicSeconds() - start }
        return arrivals.withLock { $0 }
    }

    private func thread(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [self] in
            body()
            done.withLock { $0 += 1 }
        }
    }
}
