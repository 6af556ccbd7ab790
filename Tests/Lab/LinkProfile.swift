/// How fast a link carries bits. Counted, as Linux's own traffic control does, in Ethernet frames without their
/// checksum: a 1500 byte IP packet is 1514 bytes on the link.
public struct Rate: Hashable, Sendable, CustomStringConvertible {
    /// Bits a second; 0 is as fast as it goes.
    public let bitsPerSecond: Int

    /// - Parameter bitsPerSecond: Bits a second; 0 is as fast as it goes.
    public init(bitsPerSecond: Int) {
        precondition(bitsPerSecond >= 0, "a rate is not negative")
        self.bitsPerSecond = bitsPerSecond
    }

    /// As fast as it goes.
    public static let unlimited = Rate(bitsPerSecond: 0)
    /// Thousands of bits a second.
    public static func kbit(_ number: Double) -> Rate { Rate(bitsPerSecond: Int(number * 1e3)) }
    /// Millions of bits a second.
    public static func mbit(_ number: Double) -> Rate { Rate(bitsPerSecond: Int(number * 1e6)) }
    /// Thousands of millions of bits a second.
    public static func gbit(_ number: Double) -> Rate { Rate(bitsPerSecond: Int(number * 1e9)) }

    /// As `ip` and `tc` write it.
    public var description: String {
        switch bitsPerSecond {
        case 0: "unlimited"
        case let bits where bits.isMultiple(of: 1_000_000): "\(bits / 1_000_000)mbit"
        case let bits where bits.isMultiple(of: 1000): "\(bits / 1000)kbit"
        case let bits: "\(bits)bit"
        }
    }
}

/// What one direction of a link is like.
///
/// A packet first waits in a queue of at most `queue` bytes (those that find it full are dropped), then takes
/// `size / rate` to be sent, then `delay` to arrive, unless it is lost on the way with probability `loss`.
/// Packets never overtake each other.
public struct LinkProfile: Hashable, Sendable {
    /// How fast the queue is emptied.
    public var rate: Rate
    /// How long a packet travels, one way.
    public var delay: Duration
    /// The fraction of packets that are lost after they were sent, from 0 to 1.
    public var loss: Double
    /// Bytes that may wait to be sent. `nil`: what the rate carries in 100 ms, and at least 64 KiB.
    public var queue: Int?

    /// - Parameters:
    ///   - rate: How fast the queue is emptied.
    ///   - delay: How long a packet travels, one way.
    ///   - loss: The fraction of packets that are lost, from 0 to 1.
    ///   - queue: Bytes that may wait to be sent; `nil`: 100 ms at the rate, and at least 64 KiB.
    public init(rate: Rate = .unlimited, delay: Duration = .zero, loss: Double = 0, queue: Int? = nil) {
        precondition((0...1).contains(loss), "loss is a fraction from 0 to 1")
        precondition(delay >= .zero, "a delay is not negative")
        precondition(queue.map { $0 > 0 } ?? true, "a queue holds at least one byte")
        self.rate = rate
        self.delay = delay
        self.loss = loss
        self.queue = queue
    }

    /// Bytes that may wait to be sent, the default worked out.
    public var queueLimit: Int {
        queue ?? max(64 * 1024, rate.bitsPerSecond / 8 / 10)
    }
}

/// Which way of a link; its ends are called A and B in the order they were given to `Lab.link`.
public enum LinkDirection: String, Sendable, CaseIterable {
    /// From the first host to the second.
    case aToB = "a-to-b"
    /// From the second host to the first.
    case bToA = "b-to-a"
    /// Both ways.
    case both

    /// The lanes meant, 0 from A and 1 from B.
    var lanes: [Int] {
        switch self {
        case .aToB: [0]
        case .bToA: [1]
        case .both: [0, 1]
        }
    }
}

/// What one direction of a link has done since it was made.
public struct LinkCounters: Hashable, Sendable {
    /// Packets that arrived, whatever became of them.
    public var packets = 0
    /// Bytes that arrived, in Ethernet frames.
    public var bytes = 0
    /// Packets handed to the host at the other end.
    public var deliveredPackets = 0
    /// Bytes handed to the host at the other end.
    public var deliveredBytes = 0
    /// Packets lost by the link's `loss`.
    public var lost = 0
    /// Packets that found the queue full.
    public var overflowed = 0
    /// Packets that vanished in a blackhole or a cut link.
    public var blackholed = 0
    /// Packets the emulator itself could not take or hand on: it did not keep up, or the receiving host has taken its
    /// interface down. Anything but 0 makes a measurement doubtful.
    public var failed = 0
    /// Bytes that wait to be sent now.
    public var queuedBytes = 0
    /// Packets that are travelling now.
    public var inFlight = 0

    /// Packets that did not arrive, for whatever reason.
    public var dropped: Int { lost + overflowed + blackholed + failed }
}
