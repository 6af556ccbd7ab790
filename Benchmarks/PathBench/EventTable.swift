import Foundation

/// Figures of single events, in milliseconds unless their name says otherwise, and whether they are as good as promised.
struct EventTable {
    /// What is promised.
    struct Goal {
        /// At most so much.
        var most: Double
        /// And at most this part of what the kernel alone shows.
        var ratio: Double?

        func isMet(_ own: Double, _ kernel: Double?) -> Bool {
            own <= most && (ratio.map { part in kernel.map { own <= part * $0 } ?? true } ?? true)
        }

        var text: String { String(format: "≤ %.0f", most) + (ratio.map { String(format: ", ratio ≤ %.2f", $0) } ?? "") }
    }

    private(set) var count = 0
    /// The rows whose goal was missed.
    private(set) var short: [String] = []

    func printHead() {
        print(
            """
            Milliseconds: failover = the worst round trip (ping) or the longest time without a byte (down, up) after a fault \
            of link 1 or 2;
            back = until the link carries again; outage = until bytes move after both links were dead and one is back; \
            idle = times woken.
            """)
        print(
            "row".padding(toLength: 34, withPad: " ", startingAt: 0)
                + "congestion   kernel alone        braid    ratio   goal")
    }

    mutating func add(_ name: String, _ congestion: String, kernel: Double?, own: Double, _ goal: Goal) {
        let isMet = goal.isMet(own, kernel)
        count += 1
        if !isMet { short.append("\(name) \(congestion)") }
        let beside = kernel.map { String(format: "%12.0f", $0) } ?? "           –"
        let ratio = kernel.map { String(format: "%8.2f", own / $0) } ?? "       –"
        print(
            name.padding(toLength: 34, withPad: " ", startingAt: 0)
                + congestion.padding(toLength: 13, withPad: " ", startingAt: 0) + beside
                + String(format: " %12.0f", own) + " \(ratio)   \(goal.text): \(isMet ? "met" : "SHORT")")
        fflush(nil)
    }

    func printSummary() { print("\(count - short.count) of \(count) goals met") }
}
