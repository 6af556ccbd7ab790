internal import Admin
internal import LinuxSystem
internal import SystemPackage

/// `braid top`: the daemon, live on a terminal, until `q` or a signal.
public struct Top: ~Copyable {
    private static let interval: UInt64 = 1_000_000_000
    private static let signals: [CInt] = [1, 2, 3, 15, 18, 20, 28]

    private let client: AdminClient
    private let colour: Bool
    private let bar: Bar
    private var last: (status: StatusView, time: MonotonicTime)?

    /// - Parameters:
    ///   - client: the daemon.
    ///   - colour: whether to use colours.
    ///   - isUnicode: whether the terminal has block characters.
    public init(_ client: AdminClient, colour: Bool, isUnicode: Bool) {
        self.client = client
        self.colour = colour
        bar = Bar(width: 12, isUnicode: isUnicode)
    }

    /// Runs until it is quit; the terminal is then as it was.
    ///
    /// - Throws: `AdminClientError` when the daemon cannot be reached at the beginning; later that is shown.
    public mutating func run() throws(AdminClientError) {
        _ = try client.ask("/v1/status")
        do throws(Errno) {
            let signals = try SignalDescriptor(Self.signals)
            var poller = try Poller(capacity: 4)
            try poller.add(signals.descriptor.raw, .readable, EventToken(slot: 0, tag: 0))
            try poller.add(0, .readable, EventToken(slot: 1, tag: 0))
            try begin()
            defer { end() }
            try loop(signals, &poller)
        } catch {
            throw .terminal(error)
        }
    }

    private func begin() throws(Errno) {
        try Terminal.takeKeys()
        Terminal.write(TopScreen.enter)
    }

    private func end() {
        Terminal.write(TopScreen.leave)
        Terminal.restore()
    }

    private mutating func loop(_ signals: borrowing SignalDescriptor, _ poller: inout Poller) throws(Errno) {
        var next = MonotonicTime.now()
        while true {
            let now = MonotonicTime.now()
            if now >= next {
                try look()
                next = now + Self.interval
            }
            let patience = CInt(clamping: next.since(.now()) / 1_000_000 + 1)
            let count = try poller.wait(milliseconds: patience)
            for index in 0..<count {
                if poller.event(index).token.slot == 1 {
                    let keys = Terminal.keys()
                    // The end of input: the terminal is gone.
                    if keys.isEmpty || keys.contains(UInt8(ascii: "q")) || keys.contains(UInt8(ascii: "Q")) { return }
                    continue
                }
                while let signal = try signals.next() {
                    switch signal {
                    // SIGTSTP, SIGCONT and SIGWINCH.
                    case 20:
                        end()
                        Terminal.stop()
                        try begin()
                        next = .now()
                    case 18, 28: next = .now()
                    default: return
                    }
                }
            }
        }
    }

    private mutating func look() throws(Errno) {
        let size = try Terminal.size()
        let screen = TopScreen(columns: size.columns, rows: size.rows)
        do throws(AdminClientError) {
            let status = try client.decode(StatusView.self, try client.ask("/v1/status"))
            let limit = min(BusiestLimit.maximum, max(1, size.rows))
            let busiest = try client.decode(
                BusiestView.self, try client.ask("/v1/busiest?sort=rate&limit=\(limit)"))
            let now = MonotonicTime.now()
            let view = TopView(
                status: status, busiest: busiest, before: last?.status,
                seconds: last.map { Double(now.since($0.time)) / 1e9 } ?? 0, colour: colour, bar: bar)
            Terminal.write(screen.frame(view.lines(rows: size.rows)))
            last = (status, now)
        } catch {
            last = nil
            Terminal.write(screen.frame(["\(error)", "", "Trying again every second; q quits"]))
        }
    }

    private enum BusiestLimit {
        static let maximum = 200
    }
}
