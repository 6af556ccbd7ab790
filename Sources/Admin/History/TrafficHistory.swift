internal import LinuxSystem
internal import NIOCore

/// What links and relays carried over the last ten minutes, for the dashboard's charts.
///
/// Samples while bytes move or somebody looks; after that it sleeps until the loops tell that bytes move again, so that an idle
/// daemon is idle. Belongs to the server's loop.
final class TrafficHistory {
    static let interval = TimeAmount.seconds(2)
    static let intervalSeconds = 2
    /// Ten minutes.
    static let capacity = 300
    /// Samples without a byte after which it sleeps.
    private static let patience = 3

    private let loop: any EventLoop
    private let backend: any AdminBackend
    private var samples: [TrafficSample] = []
    private var last: StatusView?
    private var lastLook = NIODeadline.now()
    private var quiet = 0
    private var timer: RepeatedTask?
    /// Somebody looks: it does not sleep.
    var isWatched = false {
        didSet { if isWatched { wake() } }
    }
    /// Gets each sample.
    var observer: ((TrafficSample) -> Void)?

    init(loop: any EventLoop, backend: any AdminBackend) {
        self.loop = loop
        self.backend = backend
        sleep()
    }

    /// Bytes move, or somebody looks.
    func wake() {
        guard timer == nil else { return }
        quiet = 0
        if last == nil { last = backend.status() }
        lastLook = .now()
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            bound.value.look()
        }
    }

    func end() {
        timer?.cancel()
        timer = nil
    }

    private func sleep() {
        timer?.cancel()
        timer = nil
        // What moves before the loops have seen this is told when the next byte moves.
        last = backend.status()
        backend.awaitActivity()
    }

    private func look() {
        let now = backend.status()
        let time = NIODeadline.now()
        let seconds = Double((time - lastLook).nanoseconds) / 1e9
        let sample = TrafficSample(
            from: last ?? now, to: now, seconds: seconds, time: Double(wallClockNanoseconds() / 1_000_000) / 1000)
        last = now
        lastLook = time
        if samples.count == Self.capacity { samples.removeFirst() }
        samples.append(sample)
        observer?(sample)
        let isQuiet = (sample.links + sample.relays).allSatisfy { $0.out == 0 && $0.back == 0 }
        quiet = isQuiet ? quiet + 1 : 0
        if quiet >= Self.patience, !isWatched { sleep() }
    }

    /// `{interval_seconds, samples: […]}`, the oldest first.
    var document: [UInt8] {
        var json = JSONWriter(reserving: 64 + samples.count * 256)
        json.beginObject()
        json.member("interval_seconds", Self.intervalSeconds)
        json.member("samples", samples)
        json.endObject()
        return json.bytes
    }
}
