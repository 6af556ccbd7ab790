import Lab

/// What one link of a row is like, the same both ways.
struct PathShape {
    let megabits: Double
    /// What the link alone adds to a round trip.
    let roundTrip: Duration
    var loss = 0.0
    /// Bytes that may wait; `nil`: 100 ms at the rate, and at least 64 KiB.
    var queue: Int?

    var profile: LinkProfile {
        LinkProfile(rate: .mbit(megabits), delay: roundTrip / 2, loss: loss, queue: queue)
    }

    /// The payload that a single TCP connection can carry at most: 1448 of 1514 bytes.
    var payloadRate: Double { megabits * 1448 / 1514 }
}

/// Two links, and what is asked of them together.
struct Row {
    enum Kind: String {
        /// Both links are worth using: measured against the best hand-tuned setting.
        case good
        /// The second link ruins the whole: measured against the best link alone.
        case bad
    }

    let name: String
    let kind: Kind
    let first: PathShape
    let second: PathShape
    /// The link that the connection begins on: 0 or 1.
    var dialled = 0
    /// The largest send and receive buffer the hosts allow, in bytes; `nil`: as the kernel ships it.
    var largestBuffer: Int?

    var shapes: [PathShape] { [first, second] }

    /// What hand-tuners set for senders: twice what the links can have under way.
    var tunedSendBuffer: Int {
        let rate = (first.megabits + second.megabits) * 1e6 / 8
        let longest = max(first.roundTrip, second.roundTrip)
        return max(256 * 1024, Int(2 * rate * (longest / Duration.seconds(1))))
    }
}

extension Row {
    /// The same with the connection begun on the second link.
    var begunOnSecond: Row {
        Row(
            name: name + "@2", kind: kind, first: first, second: second, dialled: 1, largestBuffer: largestBuffer)
    }

    /// Every row, the good cases first.
    static let all: [Row] = good + bad

    private static let good: [Row] = {
        var rows: [Row] = []
        for (first, second) in [(50.0, 50.0), (50, 10), (20, 20)] {
            for (near, far) in [(10, 10), (10, 100), (20, 200)] {
                for dialled in 0...1 {
                    rows.append(
                        Row(
                            name: "\(Int(first))/\(near)+\(Int(second))/\(far)@\(dialled + 1)", kind: .good,
                            first: PathShape(megabits: first, roundTrip: .milliseconds(near)),
                            second: PathShape(megabits: second, roundTrip: .milliseconds(far)), dialled: dialled))
                }
            }
        }
        return rows
    }()

    private static let bad: [Row] = [
        bad("0.5/600", PathShape(megabits: 0.5, roundTrip: .milliseconds(600))),
        bad("2/300", PathShape(megabits: 2, roundTrip: .milliseconds(300))),
        bad("2/60-bloat", PathShape(megabits: 2, roundTrip: .milliseconds(60), queue: 500_000)),
        bad("20/60-loss10", PathShape(megabits: 20, roundTrip: .milliseconds(60), loss: 0.1)),
        bad("10/200-smallbuffers", PathShape(megabits: 10, roundTrip: .milliseconds(200)), buffer: 512 * 1024),
        bad("5/480", PathShape(megabits: 5, roundTrip: .milliseconds(480))),
        bad("10/480", PathShape(megabits: 10, roundTrip: .milliseconds(480))),
        bad("50/400", PathShape(megabits: 50, roundTrip: .milliseconds(400))),
    ]

    private static func bad(_ name: String, _ second: PathShape, buffer: Int? = nil) -> Row {
        Row(
            name: "bad:" + name, kind: .bad, first: PathShape(megabits: 50, roundTrip: .milliseconds(20)),
            second: second,
            largestBuffer: buffer)
    }
}
