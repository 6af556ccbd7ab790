import Foundation
import Glibc
import Lab
import Synchronization

/// What a link, or both, suffer in the middle of traffic: the kernel alone beside Braid.
struct Failover {
    enum Work: String, CaseIterable {
        /// 8 bytes there and back every 20 ms.
        case ping
        /// Bulk to the near end.
        case down
        /// Bulk to the far end.
        case up
    }

    enum Fault: String, CaseIterable {
        /// The interface loses its carrier at both ends.
        case carrier
        /// What is sent vanishes silently.
        case blackhole
        /// What the near end sends vanishes.
        case oneWayUp = "blackhole-up"
        /// What the far end sends vanishes.
        case oneWayDown = "blackhole-down"

        func begin(_ link: Link, near: LabHost) throws {
            switch self {
            case .carrier: try link.carrier(down: true)
            case .blackhole: link.blackhole(true)
            case .oneWayUp: link.blackhole(true, direction: link.direction(from: near))
            case .oneWayDown: link.blackhole(true, direction: link.direction(from: link.peer(of: near)))
            }
        }

        func end(_ link: Link) throws {
            if self == .carrier { try link.carrier(down: false) } else { link.blackhole(false) }
        }
    }

    enum Question {
        /// How long the worst interruption is, of a fault of one link: the worst round trip, or the longest time without a
        /// byte.
        case interruption(link: Int)
        /// How long after its return a link carries bytes again.
        case back(link: Int)
        /// How long after the return of one link bytes move again, when both were dead for so many seconds.
        case outage(seconds: Double)
    }

    let question: Question
    let work: Work
    let fault: Fault

    var name: String {
        switch question {
        case .interruption(let link): "failover:\(work.rawValue)-\(fault.rawValue)@\(link + 1)"
        case .back(let link): "back:\(work.rawValue)-\(fault.rawValue)@\(link + 1)"
        case .outage(let seconds): "outage:\(work.rawValue)-\(fault.rawValue)-\(Int(seconds))s"
        }
    }

    /// In milliseconds, and as a part of what the kernel alone needs.
    var goal: EventTable.Goal {
        switch question {
        case .interruption:
            work == .ping
                ? EventTable.Goal(most: fault == .carrier ? 100 : 250) : EventTable.Goal(most: 400, ratio: 0.7)
        case .back: EventTable.Goal(most: 2000)
        case .outage: EventTable.Goal(most: 500)
        }
    }

    static let all: [Failover] = {
        var rows: [Failover] = []
        for work in Work.allCases {
            for fault in Fault.allCases {
                rows += (0...1).map { Failover(question: .interruption(link: $0), work: work, fault: fault) }
            }
        }
        for fault in Fault.allCases { rows.append(Failover(question: .back(link: 0), work: .down, fault: fault)) }
        for seconds in [5.0, 30] {
            for fault in [Fault.carrier, .blackhole] {
                rows += [Work.down, .up].map { Failover(question: .outage(seconds: seconds), work: $0, fault: fault) }
            }
        }
        return rows
    }()

    /// 10 Mbit/s each, 20 and 40 ms; connections begin on the first.
    static let row = Row(
        name: "failover", kind: .good, first: PathShape(megabits: 10, roundTrip: .milliseconds(20)),
        second: PathShape(megabits: 10, roundTrip: .milliseconds(40)))

    /// Until what is known of the paths has settled: 200 segments of ping-pong, and the end of slow start.
    private static let before = 5.0
    private static let after = 3.0

    /// What was found, in milliseconds.
    func measure(_ setting: Setting, congestion: String, bench: PathBench) async throws -> Double {
        var scene = Scene(
            row: Self.row, setting: setting, way: work == .up ? .up : .down, congestion: congestion, seconds: 0,
            bench: bench)
        scene.isPing = work == .ping
        var struck = 0.0
        var answer: Double?
        let seen = try await scene.measure { links, near, now in
            pause(Self.before)
            struck = now()
            switch question {
            case .interruption(let link):
                try fault.begin(links[link], near: near)
                pause(Self.after)
            case .back(let link):
                try fault.begin(links[link], near: near)
                pause(Self.after)
                answer = try back(links[link])
            case .outage(let seconds):
                for link in links { try fault.begin(link, near: near) }
                pause(seconds)
                try fault.end(links[1])
                struck = now()
                // The kernel alone waits for a timer that has doubled each time.
                pause(setting == .braid ? 3 : 3 + seconds / 2 + 6)
            }
        }
        switch question {
        case .interruption where work == .ping: return seen.worstRoundTrip(from: struck) * 1000
        case .interruption: return seen.longestGap(from: struck, to: struck + Self.after) * 1000
        case .back: return (answer ?? .infinity) * 1000
        case .outage: return (seen.silence(after: struck) ?? .infinity) * 1000
        }
    }

    /// How long after its end a fault still shows; `nil` when it does after five seconds.
    private func back(_ link: Link) throws -> Double? {
        let before = link.counters(.both).deliveredBytes
        let began = monotonicSeconds()
        try fault.end(link)
        while monotonicSeconds() < began + 5 {
            if link.counters(.both).deliveredBytes > before + 100_000 { return monotonicSeconds() - began }
            usleep(5000)
        }
        return nil
    }
}

/// 8 bytes there and back, every 20 ms, or when the answer came if that is later.
final class PingPong: Sendable {
    private let arrivals = Mutex(Arrivals())
    private let done = Mutex(0)

    func run(client: Int32, server: Int32, meanwhile: Meanwhile) rethrows -> Arrivals {
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
        defer {
            for raw in [client, server] { shutdown(raw, Int32(SHUT_RDWR)) }
            while done.withLock({ $0 }) < 2 { usleep(5000) }
        }
        try meanwhile { monotonicSeconds() - start }
        return arrivals.withLock { $0 }
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
