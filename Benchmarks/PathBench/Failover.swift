import Foundation
import Glibc
import Lab
import Synchronization

/// A fault of one of two links, and what it interrupts: the kernel alone beside Braid.
struct Failover {
    enum Work: String, CaseIterable {
        /// 8 bytes there and back every 20 ms; the figure is the worst round trip.
        case ping
        /// Bulk to the near end; the figure is the longest time without a byte.
        case bulk
    }

    enum Fault: String, CaseIterable {
        /// The interface loses its carrier at both ends.
        case carrier
        /// What is sent vanishes silently.
        case blackhole
    }

    let work: Work
    let fault: Fault
    /// The link that fails, 0 or 1; connections begin on link 0.
    let link: Int

    var name: String { "failover:\(work.rawValue)-\(fault.rawValue)@\(link + 1)" }

    static let all = Work.allCases.flatMap { work in
        Fault.allCases.flatMap { fault in (0...1).map { Failover(work: work, fault: fault, link: $0) } }
    }

    /// 10 Mbit/s each, 20 and 40 ms.
    static let row = Row(
        name: "failover", kind: .good, first: PathShape(megabits: 10, roundTrip: .milliseconds(20)),
        second: PathShape(megabits: 10, roundTrip: .milliseconds(40)))

    static let before = 2.0
    static let after = 4.0

    /// Seconds of the worst interruption, from the fault on.
    func measure(_ setting: Setting, congestion: String, braid: String) async throws -> Double {
        var scene = Scene(
            row: Self.row, setting: setting, way: .down, congestion: congestion, seconds: Self.before + Self.after,
            braid: braid, verbose: false)
        scene.failover = self
        let seen = try await scene.measure()
        return work == .ping
            ? seen.worstRoundTrip(from: Self.before)
            : seen.longestGap(from: Self.before, to: Self.before + Self.after)
    }

    /// What breaks a link.
    func strike(_ links: [Link]) {
        switch fault {
        case .carrier:
            do { try links[link].carrier(down: true) } catch { print("carrier: \(error)") }
        case .blackhole: links[link].blackhole(true)
        }
    }
}

/// 8 bytes there and back, every 20 ms, or when the answer came if that is later.
final class PingPong: Sendable {
    private let arrivals = Mutex(Arrivals())
    private let done = Mutex(0)

    /// - Parameter act: called once, after `Failover.before` seconds.
    func run(client: Int32, server: Int32, seconds: Double, act: () -> Void) -> Arrivals {
        let start = monotonicSeconds()
        var one: Int32 = 1
        for raw in [client, server] { setsockopt(raw, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4) }
        detach {
            var buffer = [UInt8](repeating: 0, count: 64)
            while true {
                let count = recv(server, &buffer, buffer.count, 0)
                guard count > 0, send(server, buffer, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
        detach { [self] in
            var buffer = [UInt8](repeating: 7, count: 8)
            while true {
                let sent = monotonicSeconds()
                guard send(client, buffer, 8, Int32(MSG_NOSIGNAL)) == 8,
                    recv(client, &buffer, 8, Int32(MSG_WAITALL)) == 8
                else { return }
                let now = monotonicSeconds()
                arrivals.withLock { $0.roundTrips.append((sent - start, now - sent)) }
                if now - sent < 0.02 { usleep(UInt32((0.02 - (now - sent)) * 1e6)) }
            }
        }
        usleep(UInt32(Failover.before * 1e6))
        act()
        usleep(UInt32((seconds - Failover.before) * 1e6))
        let seen = arrivals.withLock { $0 }
        for raw in [client, server] { shutdown(raw, Int32(SHUT_RDWR)) }
        while done.withLock({ $0 }) < 2 { usleep(5000) }
        return seen
    }

    private func detach(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [self] in
            body()
            done.withLock { $0 += 1 }
        }
    }
}

func monotonicSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
