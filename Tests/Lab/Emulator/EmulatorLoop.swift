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
            let timeout: Int64 =
                if let due = carry() {
                    max(0, due - clab_monotonic_ns())
                } else {
                    -1
                }
            guard clab_poll(polled, UInt32(count + 1), timeout) > 0 else { continue }
            for index in 0..<count where polled[index + 1].revents & Int16(POLLERR) != 0 {
                // The interface went down. Packets come again when it is up; the error would be reported for ever.
                _ = clab_port_take_error(ports + index)
            }
            if polled[0].revents != 0 {
                return
            }
        }
    }

    /// Moves everything that can be moved now; when the next packet is due.
    private mutating func carry() -> Int64? {
        // Packets are stamped by the other clock. How far they are apart may change at any time, so look each time.
        let now = clab_monotonic_ns()
        let difference = clab_realtime_ns() - now
        var next: Int64?
        for index in 0..<count {
            var frame = clab_frame()
            // Bounded, so that a flood on one link does not stop the others.
            var budget = 512
            while budget > 0, clab_port_next(ports + index, &frame) == 1 {
                // However late this thread runs, the packet's time began when it arrived.
                lanes[index].arrive(frame.bytes, length: Int(frame.length), at: min(frame.arrival - difference, now))
                clab_port_release(ports + index)
                budget -= 1
            }
            let other = ports + (index ^ 1)
            lanes[index].deliver(until: clab_monotonic_ns(), into: &batch) { packets in packets.send(to: other) }
            if let due = lanes[index].nextDue, due < next ?? .max {
                next = due
            }
        }
        return next
    }

    /// Does what another thread asked for; answers counters if it asked for those.
    mutating func perform(_ command: EmulatorCommand) -> LinkCounters {
        switch command {
        case .addLink(let number, let handover, let profiles, let seed):
            precondition(2 * number == count && count + 2 <= 2 * Self.mostLinks, "links are added in order")
            for end in 0..<2 {
                (ports + count).initialize(to: handover[end].port)
                (lanes + count).initialize(to: Lane(profile: profiles[end], seed: seed &+ UInt64(count)))
                polled[count + 1] = pollfd(fd: handover[end].port.fd, events: Int16(POLLIN), revents: 0)
                count += 1
            }
        case .set(let lane, let profile):
            lanes[lane].set(profile, at: clab_monotonic_ns())
        case .setBlackhole(let lane, let on):
            lanes[lane].setBlackhole(on)
        case .setCut(let lane, let on):
            lanes[lane].setCut(on)
        case .counters(let lane):
            lanes[lane].countFailures(Int(max(0, clab_port_take_drops(ports + lane))))
            return lanes[lane].snapshot(at: clab_monotonic_ns())
        case .stop:
            break
        }
        return LinkCounters()
    }
}
