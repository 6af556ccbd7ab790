internal import CLinux
internal import LinuxSystem
internal import Synchronization
public import SystemPackage

/// All that a loop shares with other threads: a mailbox each way, counters that anyone may read, a heartbeat.
///
/// The mailboxes are locked only to put into or drain them. The loop never waits for the main thread: when `reports` is
/// full, records and notices are counted as dropped.
public final class LoopShared: Sendable {
    /// The loop's index.
    public let index: Int
    /// The loop's counters, one block a relay.
    public let counters: CounterBlocks
    private let commands = Mutex<[LoopCommand]>([])
    private let reports = Mutex<[LoopReport]>([])
    private let droppedReports = Atomic<UInt64>(0)
    private let heartbeatCount = Atomic<UInt64>(0)
    private let changeAnnounced = Atomic<Bool>(false)
    private let activityAwaited = Atomic<Bool>(false)
    private let openingsWanted = Atomic<Bool>(false)
    private let openConnections = Atomic<Int>(0)
    private let wake: EventCounter
    private let reportsReady: EventCounter

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init(index: Int) throws(Errno) {
        self.index = index
        counters = CounterBlocks()
        wake = try EventCounter()
        reportsReady = try EventCounter()
    }

    // MARK: The main thread's side

    /// The index of the loop that a connection belongs to, from the connection's id.
    public static func index(ofConnection id: UInt64) -> Int { Int(id & 255) }

    /// Puts a command into the mailbox. Any thread.
    public func send(_ command: LoopCommand) {
        let wasEmpty = commands.withLock { waiting in
            waiting.append(command)
            return waiting.count == 1
        }
        if wasEmpty { wake.raise() }
    }

    /// Puts commands into the mailbox that are carried out together: no client is accepted in between. Any thread.
    public func send(_ batch: [LoopCommand]) {
        guard !batch.isEmpty else { return }
        let wasEmpty = commands.withLock { waiting in
            waiting += batch
            return waiting.count == batch.count
        }
        if wasEmpty { wake.raise() }
    }

    /// Readable when reports wait.
    public var reportsDescriptor: CInt { reportsReady.descriptor.raw }

    /// Takes all reports out.
    public func takeReports() -> [LoopReport] {
        reportsReady.clear()
        return reports.withLock { waiting in
            let taken = waiting
            waiting = []
            return taken
        }
    }

    /// Reports lost because nobody took them in time, since the last call.
    public func takeDropped() -> UInt64 {
        droppedReports.exchange(0, ordering: .relaxed)
    }

    /// How many heartbeats were answered.
    public var heartbeats: UInt64 { heartbeatCount.load(ordering: .relaxed) }

    /// Connections of this loop now.
    public var connections: Int { openConnections.load(ordering: .relaxed) }

    /// From here on the next change is announced again.
    public func connectionsSeen() {
        changeAnnounced.store(false, ordering: .relaxed)
    }

    /// Tells the main thread that the loop could not begin.
    public func reportFailure(call: StaticString, _ error: Errno) {
        report(.failed(call: call, error: error), vital: true)
    }

    /// Whether the loop is to tell of each connection that was connected. Any thread.
    public func setOpeningsWanted(_ wanted: Bool) {
        openingsWanted.store(wanted, ordering: .relaxed)
    }

    /// The next byte that moves is announced, once. Any thread.
    public func awaitActivity() {
        activityAwaited.store(true, ordering: .relaxed)
    }

    // MARK: The loop's side

    func noteActivity() {
        guard activityAwaited.load(ordering: .relaxed), activityAwaited.exchange(false, ordering: .relaxed) else {
            return
        }
        report(.active, vital: true)
    }

    var areOpeningsWanted: Bool { openingsWanted.load(ordering: .relaxed) }

    var wakeDescriptor: CInt { wake.descriptor.raw }

    func takeCommands() -> [LoopCommand] {
        wake.clear()
        return commands.withLock { waiting in
            let taken = waiting
            waiting = []
            return taken
        }
    }

    /// Queues a report.
    ///
    /// - Parameter vital: not to be dropped, and told at once, because somebody waits for the answer. The others are told by
    ///   `wakeReader()`, so that a thousand connections a second do not wake the main thread a thousand times.
    /// - Returns: true when reports wait that the main thread has not been told of.
    @discardableResult
    func report(_ report: LoopReport, vital: Bool = false) -> Bool {
        let queued = reports.withLock { waiting in
            if waiting.count >= Tuning.reportsWaiting, !vital { return false }
            waiting.append(report)
            return true
        }
        if !queued { droppedReports.add(1, ordering: .relaxed) }
        if vital { wakeReader() }
        return !vital
    }

    /// Tells the main thread that reports wait.
    func wakeReader() {
        reportsReady.raise()
    }

    func beat() {
        heartbeatCount.add(1, ordering: .relaxed)
    }

    func publish(connections: Int) {
        if openConnections.load(ordering: .relaxed) == connections { return }
        openConnections.store(connections, ordering: .relaxed)
        if !changeAnnounced.exchange(true, ordering: .relaxed) { report(.connectionsChanged, vital: true) }
    }
}
