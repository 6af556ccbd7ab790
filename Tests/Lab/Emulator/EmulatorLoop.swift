import CLab
import Glibc

/// The emulator's thread: takes packets from one end of each link, through its lane, to the other end.
///
/// Lane `2 * n` carries what arrives at port `2 * n` (end A of link `n`) to port `2 * n + 1`, and the other way round.
struct EmulatorLoop: ~Copyable {
    /// As many as a lab has addresses for.
    static var mostLinks: Int { 254 }

    private let lanes = UnsafeMutablePointer<Lane>.allocate(capacity: 2 * EmulatorLoop.mostLinks)
    private let ports = UnsafeMutablePointer<clab_port>.allocate(capacity: 2 * EmulatorLoop.mostLinks)
    /// The wake-up eventfd, then the ports.
    private let polled = UnsafeMutablePointer<pollfd>.allocate(capacity: 1 + 2 * EmulatorLoop.mostLinks)
    private var count = 0
    private var batch = PacketBatch()
    /// How much later than asked for a sleep ends, on average: timers and idle processors take their time (some
    /// 90 us in a virtual machine). Sleeps are asked to end so much earlier.
    private var lateness: Int64 = 0

    /// How long to let packets gather after some were moved: what makes many packets cheap.
    private var pause = EmulatorLoop.shortestPause

    private static var mostLateness: Int64 { 200_000 }
    private static var shortestPause: Int64 { 50_000 }
    private static var longestPause: Int64 { 200_000 }

    init(wake: CInt) {
        polled[0] = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
    }

    deinit {
        for index in 0..<count {
            clab_port_close(ports + index)
        }
        lanes.deinitialize(count: count)
        lanes.deallocate()
        ports.deallocate()
        polled.deallocate()
    }

    /// Carries packets until there is a command.
    mutating func runUntilWoken() {
        while true {
            let began = clab_monotonic_ns()
            let (moved, due) = carry()
            if moved {
                // Packets come in numbers: let some gather, but for commands.
                let woken = sleep(until: began + pause, watching: 1) > 0
                if woken { return }
            } else if sleep(until: due, watching: count + 1) > 0 {
                for index in 0..<count where polled[index + 1].revents & Int16(POLLERR) != 0 {
                    // The interface went down. Packets come again when it is up; until taken, the error is reported
                    // again and again.
                    _ = clab_port_take_error(ports + index)
                }
                if polled[0].revents != 0 { return }
            }
        }
    }

    /// Waits until the given time or until one of the first `watched` descriptors is ready; how many are.
    private mutating func sleep(until time: Int64?, watching watched: Int) -> CInt {
        guard let time else {
            return clab_poll(polled, UInt32(watched), -1)
        }
        let timeout = max(0, time - lateness - clab_monotonic_ns())
        let ready = clab_poll(polled, UInt32(watched), timeout)
        if ready == 0, timeout > 0 {
            let late = clab_monotonic_ns() - (time - lateness)
            lateness = min(max(0, lateness + (late - lateness) / 8), Self.mostLateness)
        }
        return ready
    }

    /// Moves everything that can be moved now: whether that was anything, and when the next packet is due.
    private mutating func carry() -> (moved: Bool, due: Int64?) {
        // Packets are stamped by the other clock. How far they are apart may change at any time, so look each time.
        let now = clab_monotonic_ns()
        let difference = clab_realtime_ns() - now
        var next: Int64?
        var moved = false
        for index in 0..<count {
            var frame = clab_frame()
            // Bounded, so that a flood on one link does not stop the others.
            var budget = 512
            while budget > 0, clab_port_next(ports + index, &frame) == 1 {
                // However late this thread runs, the packet's time began when it arrived.
                lanes[index].arrive(frame.bytes, length: Int(frame.length), at: min(frame.arrival - difference, now))
                clab_port_release(ports + index)
                budget -= 1
                moved = true
            }
            // Half a pause early, for the rest of them will be half a pause late.
            if let due = lanes[index].nextDue, due <= now + pause / 2 {
                let other = ports + (index ^ 1)
                lanes[index].deliver(until: now + pause / 2, into: &batch) { packets in packets.send(to: other) }
                moved = true
            }
            if let due = lanes[index].nextDue, due < next ?? .max {
                next = due
            }
        }
        return (moved, next)
    }

    /// A pause costs a packet at most half of itself: keep that small beside the links' own delays.
    private mutating func choosePause() {
        var shortest = Int64.max
        for index in 0..<count {
            shortest = min(shortest, lanes[index].delay)
        }
        pause = min(max(shortest / 16, Self.shortestPause), Self.longestPause)
    }

    /// Does what another thread asked for.
    mutating func perform(_ command: EmulatorCommand) -> EmulatorAnswer {
        var answer = EmulatorAnswer()
        switch command {
        case .addLink(let handover, let profiles, let seed):
            precondition(count + 2 <= 2 * Self.mostLinks, "the lab numbers no more links than this")
            answer.firstLane = count
            for end in 0..<2 {
                (ports + count).initialize(to: handover[end].port)
                (lanes + count).initialize(to: Lane(profile: profiles[end], seed: seed &+ UInt64(count)))
                // Hosts speak as soon as they see carrier, which they do one after the other: not before both do.
                lanes[count].setCut(true)
                polled[count + 1] = pollfd(fd: handover[end].port.fd, events: Int16(POLLIN), revents: 0)
                count += 1
            }
            choosePause()
        case .set(let lane, let profile):
            lanes[lane].set(profile, at: clab_monotonic_ns())
            choosePause()
        case .setBlackhole(let lane, let on):
            lanes[lane].setBlackhole(on)
        case .setCut(let lane, let on):
            lanes[lane].setCut(on)
        case .counters(let lane):
            lanes[lane].countFailures(Int(max(0, clab_port_take_drops(ports + lane))))
            answer.counters = lanes[lane].snapshot(at: clab_monotonic_ns())
        case .stop:
            break
        }
        return answer
    }
}
