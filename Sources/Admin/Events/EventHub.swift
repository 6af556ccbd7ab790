internal import NIOCore
internal import Synchronization

/// The clients of the event stream. Each has at most what its channel holds waiting; what comes meanwhile it misses, and is told
/// how much.
///
/// Belongs to the server's loop.
final class EventHub {
    private struct Listener {
        let client: ClientHandler
        let filter: EventFilter
        var missed = 0
    }

    private let loop: any EventLoop
    private let interest: EventInterest
    private var listeners: [ObjectIdentifier: Listener] = [:]
    private var log = EventLog()
    private var ticker: RepeatedTask?
    private var ticks = 0
    /// Told whether somebody wants `status` events.
    var watching: (Bool) -> Void = { _ in }
    /// The document of `status` events.
    private let status: () -> [UInt8]

    init(loop: any EventLoop, interest: EventInterest, status: @escaping () -> [UInt8]) {
        self.loop = loop
        self.interest = interest
        self.status = status
    }

    var hasRoom: Bool { listeners.count < AdminLimits.eventStreams }

    func enter(_ client: ClientHandler, _ filter: EventFilter) {
        listeners[ObjectIdentifier(client)] = Listener(client: client, filter: filter)
        // Says at once that the stream is open, also through proxies that wait for a first byte.
        _ = client.push(ByteBuffer(string: "retry: 2000\n\n"))
        for event in log.last(filter.replay) { _ = client.push(event) }
        if filter.status { _ = client.push(statusEvent()) }
        count()
        if ticker == nil { start() }
    }

    func leave(_ client: ClientHandler) {
        guard listeners.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        count()
        if listeners.isEmpty {
            ticker?.cancel()
            ticker = nil
        }
    }

    /// The client has taken what was written: it hears what it missed.
    func isWritable(_ client: ClientHandler) {
        guard let missed = listeners[ObjectIdentifier(client)]?.missed, missed > 0 else { return }
        if client.push(ByteBuffer(string: "event: missed\ndata: {\"events\":\(missed)}\n\n")) {
            listeners[ObjectIdentifier(client)]?.missed = 0
        }
    }

    func publish(_ event: AdminEvent) {
        let text = log.write(event)
        for (id, listener) in listeners where listener.filter.connections || !event.kind.isFrequent {
            if !listener.client.push(text) { listeners[id]?.missed += 1 }
        }
    }

    /// Tells those who want `status` events.
    func publish(_ sample: TrafficSample) {
        var text = ByteBuffer(string: "event: sample\ndata: ")
        text.writeBytes(sample.document)
        text.writeString("\n")
        for listener in listeners.values where listener.filter.status { _ = listener.client.push(text) }
    }

    /// Ends all streams in order.
    func end() {
        for listener in listeners.values { listener.client.endEvents() }
    }

    private func count() {
        watching(listeners.values.contains { $0.filter.status })
        interest.set(frequent: listeners.values.contains { $0.filter.connections })
    }

    // MARK: Once a second, while somebody listens

    private func start() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        ticker = loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in bound.value.tick() }
    }

    private func tick() {
        ticks += 1
        if listeners.values.contains(where: { $0.filter.status }) {
            let event = statusEvent()
            for listener in listeners.values where listener.filter.status { _ = listener.client.push(event) }
        }
        // So that a client that is gone is noticed although nothing happens.
        if ticks.isMultiple(of: 15) {
            for listener in listeners.values where !listener.filter.status {
                _ = listener.client.push(ByteBuffer(string: ": still here\n\n"))
            }
        }
    }

    private func statusEvent() -> ByteBuffer {
        var buffer = ByteBuffer(string: "event: status\ndata: ")
        buffer.writeBytes(status())
        buffer.writeString("\n")
        return buffer
    }
}

/// Whether anybody listens to frequent events, for other threads.
final class EventInterest: Sendable {
    private let frequent = Atomic<Bool>(false)
    private let changed: @Sendable (Bool) -> Void

    /// - Parameter changed: called on the server's loop when it changes.
    init(changed: @escaping @Sendable (Bool) -> Void) { self.changed = changed }

    var wantsFrequent: Bool { frequent.load(ordering: .relaxed) }

    func set(frequent wanted: Bool) {
        if frequent.exchange(wanted, ordering: .relaxed) != wanted { changed(wanted) }
    }
}
