import CLab
import Glibc
import Synchronization

/// An emulated link between two hosts. Made by `Lab.link`.
///
/// Each host has an ordinary Ethernet interface (a veth with segmentation and checksum offload off, so that packets
/// are those of a wire). The other half of each veth is in a namespace of the lab's own, where the emulator takes
/// packets from the one and puts them on the other. A change is in effect when the call that makes it returns.
public final class Link: Sendable {
    /// The interface's name in both hosts.
    public let name: String
    /// Its place among the lab's links, from 1; part of its addresses.
    public let number: Int
    /// The two ends, A and B.
    public let ends: [LinkEnd]

    private let state: LabState
    private let lanes: [Int]
    private struct Current {
        var profiles: [LinkProfile]
        var blackholes = [false, false]
        var cut = false
    }
    private let current: Mutex<Current>

    init(
        number: Int, name: String, ends hosts: [Host], profiles: [LinkProfile], mtu: Int, state: LabState
    ) throws(LabError) {
        self.name = name
        self.number = number
        self.state = state
        current = Mutex(Current(profiles: profiles))
        let ends = hosts.enumerated().map { LinkEnd(host: $1, link: number, end: $0) }
        self.ends = ends
        try checkName(name)
        do throws(LabError) {
            let ports = try Self.makeWires(number: number, name: name, ends: ends, mtu: mtu, state: state)
            let answer = state.emulator.perform(.addLink(ports: ports, profiles: profiles, seed: state.seed))
            lanes = [answer.firstLane, answer.firstLane + 1]
        } catch {
            // With its half in the emulator's namespace, the host's half of a wire goes as well.
            for end in 0..<2 {
                _ = try? state.wires.run(["ip", "link", "del", Self.wire(number, end)], expecting: nil)
            }
            throw error
        }
        for end in 0..<2 {
            try ends[end].bringUp(name, neighbour: ends[1 - end])
        }
        try carrier(down: false)
    }

    /// Makes the two veth pairs, and opens the emulator's ports on them.
    private static func makeWires(
        number: Int, name: String, ends: [LinkEnd], mtu: Int, state: LabState
    ) throws(LabError) -> [PortHandover] {
        for (index, end) in ends.enumerated() {
            // An index far from any in a host: the kernel reports a change of carrier at once only for an interface
            // whose peer has another index, and up to a second later for others.
            try state.wires.run(
                [
                    "ip", "link", "add", "name", wire(number, index), "index", "\(10_000 + 2 * number + index)",
                    "mtu", "\(mtu)", "type", "veth", "peer", "name", name, "mtu", "\(mtu)",
                    "address", end.hardware, "netns", "/proc/self/fd/3",
                ], descriptors: [end.host.namespace.descriptor.number])
            try end.host.inNamespace { () throws(LabError) in
                try checked(clab_interface_plain_packets(name), "\(end.host.name): switch offloads of \(name) off")
            }
        }
        return try state.wires.enter { () throws(LabError) -> [PortHandover] in
            var ports: [PortHandover] = []
            for index in 0..<2 {
                var port = clab_port()
                let result = clab_port_open(wire(number, index), UInt32(mtu), &port)
                if result < 0 {
                    for var opened in ports { clab_port_close(&opened.port) }
                    throw LabError("link \(name): open the emulator's port", errno: -result)
                }
                ports.append(PortHandover(port: port))
            }
            return ports
        }
    }

    /// The emulator's half of the veth pair at end A (0) or B (1).
    private static func wire(_ number: Int, _ end: Int) -> String { "k\(number)\(end == 0 ? "a" : "b")" }

    // MARK: Addresses

    /// The IPv4 address of a host on this link.
    ///
    /// - Parameter host: One of the two.
    public func address(of host: Host) -> String { ends.end(of: host).address }

    /// The IPv6 address of a host on this link.
    ///
    /// - Parameter host: One of the two.
    public func address6(of host: Host) -> String { ends.end(of: host).address6 }

    /// The host at the other end.
    ///
    /// - Parameter host: One of the two.
    public func peer(of host: Host) -> Host { ends[1 - ends.index(of: host)].host }

    /// The direction in which a host's packets go.
    ///
    /// - Parameter host: One of the two.
    public func direction(from host: Host) -> LinkDirection { ends.index(of: host) == 0 ? .aToB : .bToA }

    // MARK: What it is like

    /// What one direction is like now.
    ///
    /// - Parameter direction: `.aToB` or `.bToA`; for `.both` that from A to B.
    public func profile(_ direction: LinkDirection) -> LinkProfile {
        current.withLock { $0.profiles[direction.lanes[0]] }
    }

    /// Changes the link; what is not given stays. Packets that wait are sent at the new rate; those under way arrive
    /// when they would have.
    ///
    /// - Parameters:
    ///   - rate: How fast it is.
    ///   - delay: How long a packet travels, one way.
    ///   - loss: The fraction of packets that are lost, from 0 to 1.
    ///   - queue: Bytes that may wait to be sent.
    ///   - direction: Which way.
    public func set(
        rate: Rate? = nil, delay: Duration? = nil, loss: Double? = nil, queue: Int? = nil,
        direction: LinkDirection = .both
    ) {
        for lane in direction.lanes {
            let profile = current.withLock { current in
                let old = current.profiles[lane]
                current.profiles[lane] = LinkProfile(
                    rate: rate ?? old.rate, delay: delay ?? old.delay, loss: loss ?? old.loss,
                    queue: queue ?? old.queue)
                return current.profiles[lane]
            }
            state.emulator.perform(.set(lane: lanes[lane], profile: profile))
        }
    }

    // MARK: Faults

    /// Lets packets vanish silently, or no more. What is under way is lost as well.
    ///
    /// - Parameters:
    ///   - on: Whether they vanish.
    ///   - direction: Which way.
    public func blackhole(_ on: Bool, direction: LinkDirection = .both) {
        for lane in direction.lanes {
            current.withLock { $0.blackholes[lane] = on }
            state.emulator.perform(.setBlackhole(lane: lanes[lane], on: on))
        }
    }

    /// Whether packets vanish silently.
    ///
    /// - Parameter direction: Which way; for `.both`, whether they do both ways.
    public func isBlackhole(_ direction: LinkDirection) -> Bool {
        current.withLock { current in direction.lanes.allSatisfy { current.blackholes[$0] } }
    }

    /// Whether the cable is unplugged.
    public var isCut: Bool { current.withLock { $0.cut } }

    /// Unplugs the cable, or plugs it in: both hosts see their interface lose its carrier, and what was under way is
    /// lost.
    ///
    /// - Parameter down: Whether it is unplugged.
    /// - Throws: When the interface is gone.
    public func carrier(down: Bool) throws(LabError) {
        for lane in lanes where down {
            state.emulator.perform(.setCut(lane: lane, on: true))
        }
        try state.wires.enter { () throws(LabError) in
            for end in 0..<2 {
                try checked(
                    clab_interface_set_up(Self.wire(number, end), !down),
                    "link \(name): set carrier \(down ? "down" : "up")")
            }
        }
        for lane in lanes where !down {
            state.emulator.perform(.setCut(lane: lane, on: false))
        }
        current.withLock { $0.cut = down }
        for end in ends {
            try awaitCarrier(!down, at: end.host)
        }
    }

    /// The kernel tells of a change of carrier from a worker of its own: wait until it has.
    private func awaitCarrier(_ wanted: Bool, at host: Host) throws(LabError) {
        try host.inNamespace { () throws(LabError) in
            for _ in 0..<5000 {
                let running = try checked(clab_interface_running(name), "\(host.name): carrier of \(name)") == 1
                let isUp = try checked(clab_interface_up(name), "\(host.name): state of \(name)") == 1
                // An interface that its own host has taken down shows no carrier either way.
                if running == wanted || !isUp { return }
                _ = clab_poll(nil, 0, 200_000)
            }
            throw LabError("\(host.name): carrier of \(name) did not change")
        }
    }

    /// Whether a host sees carrier on its interface.
    ///
    /// - Parameter host: One of the two.
    public func hasCarrier(at host: Host) throws(LabError) -> Bool {
        try host.inNamespace { () throws(LabError) -> Bool in
            try checked(clab_interface_running(name), "\(host.name): carrier of \(name)") == 1
        }
    }

    // MARK: What it did

    /// What one direction has done since the link was made.
    ///
    /// - Parameter direction: `.aToB` or `.bToA`; for `.both` the sum.
    public func counters(_ direction: LinkDirection) -> LinkCounters {
        direction.lanes.reduce(into: LinkCounters()) { sum, lane in
            sum.add(state.emulator.perform(.counters(lane: lanes[lane])).counters)
        }
    }
}

extension LinkCounters {
    fileprivate mutating func add(_ other: LinkCounters) {
        packets += other.packets
        bytes += other.bytes
        deliveredPackets += other.deliveredPackets
        deliveredBytes += other.deliveredBytes
        lost += other.lost
        overflowed += other.overflowed
        blackholed += other.blackholed
        failed += other.failed
        queuedBytes += other.queuedBytes
        inFlight += other.inFlight
    }
}
