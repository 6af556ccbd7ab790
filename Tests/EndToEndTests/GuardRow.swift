import Lab
import Testing

/// Two links of which one is bad, or both are good, and what is asked of them together.
///
/// The first is 50 Mbit/s with 20 ms, unless something else is said.
struct GuardRow: Sendable, CustomTestStringConvertible {
    var name: String
    var first = LinkProfile(rate: .mbit(50), delay: .milliseconds(10))
    var second: LinkProfile
    /// The largest buffers of both hosts; `nil`: as the kernel has them.
    var largestBuffer: Int?
    var congestion = "cubic"
    var isUpload = false
    /// Connections begin on the second link.
    var beginsOnSecond = false

    var testDescription: String {
        "\(name) \(congestion) \(isUpload ? "up" : "down")\(beginsOnSecond ? " begun on the second link" : "")"
    }

    /// Second links that ruin the whole.
    static let bad = [
        GuardRow(name: "0.5/600", second: LinkProfile(rate: .mbit(0.5), delay: .milliseconds(300))),
        GuardRow(name: "2/300", second: LinkProfile(rate: .mbit(2), delay: .milliseconds(150))),
        GuardRow(
            name: "2/60, 2 s queue", second: LinkProfile(rate: .mbit(2), delay: .milliseconds(30), queue: 500_000)),
        GuardRow(name: "20/60, 10 % loss", second: LinkProfile(rate: .mbit(20), delay: .milliseconds(30), loss: 0.1)),
        GuardRow(
            name: "10/200, small buffers", second: LinkProfile(rate: .mbit(10), delay: .milliseconds(100)),
            largestBuffer: 512 * 1024),
        GuardRow(name: "5/480", second: LinkProfile(rate: .mbit(5), delay: .milliseconds(240))),
        GuardRow(name: "10/480", second: LinkProfile(rate: .mbit(10), delay: .milliseconds(240))),
        GuardRow(name: "50/400", second: LinkProfile(rate: .mbit(50), delay: .milliseconds(200))),
    ]

    /// Links that add up.
    static let good: [GuardRow] = [(50.0, 50.0, 10, 100), (50, 10, 10, 10), (50, 10, 10, 100), (20, 20, 20, 200)].map {
        GuardRow(
            name: "\(Int($0))/\($2) + \(Int($1))/\($3)",
            first: LinkProfile(rate: .mbit($0), delay: .milliseconds($2 / 2)),
            second: LinkProfile(rate: .mbit($1), delay: .milliseconds($3 / 2)))
    }

    /// Some of the bad rows; with long tests all of them, either way, begun on either link, with either congestion control.
    static let badOnes: [GuardRow] = {
        guard Soak.isWanted else {
            var rows = [0, 2, 3, 4].map { bad[$0] }
            rows[1].isUpload = true
            return rows
        }
        return bad.flatMap { row in
            var rows = [row, row, row, row]
            rows[1].isUpload = true
            rows[2].beginsOnSecond = true
            rows[3].congestion = "bbr"
            return rows
        }
    }()

    static let goodOnes: [GuardRow] = {
        guard Soak.isWanted else { return [good[1]] }
        return good.flatMap { row in
            var rows = [row, row]
            rows[1].beginsOnSecond = true
            return rows
        }
    }()

    /// What one TCP connection carries over the first link alone: 1448 of 1514 bytes.
    var single: Double { Double(first.rate.bitsPerSecond) / 1e6 * 1448 / 1514 }
}
