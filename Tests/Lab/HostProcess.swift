import CLab
import Glibc
import Synchronization

/// A process that runs in a host of the lab.
///
/// It lives until it ends, `terminate()` is called, or the lab ends, not merely as long as this object is held (Swift
/// ends an object after its *last use*, which is rarely what a test means). It leads a process group of its own, and
/// what it leaves behind in that group ends with it.
///
/// Concurrency: one thread reads its output and notices its end; `state` is what everybody shares.
public final class HostProcess: Sendable {
    /// What of each of its two outputs is kept; the rest is read and thrown away.
    static let mostOutput = 64 * 1024 * 1024

    /// Its process id, which stays reserved until it is terminated or the lab ends.
    public let pid: Int32
    /// The command.
    public let arguments: [String]

    struct State: ~Copyable {
        var output: [UInt8] = []
        var error: [UInt8] = []
        var lines: [String] = []
        var partial: [[UInt8]] = [[], []]
        var exit: ProcessExit?
        var reaped = false
        /// Counts everything that happened, so that a waiter knows what it has seen.
        var version = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Waiters whose time was up before they began to wait.
        var expired: Set<Int> = []
        var nextWaiter = 0
    }

    let state: Mutex<State>
    /// Apart from `state`, for a write may have to wait until the process reads.
    let input: Mutex<Descriptor?>

    init(_ launch: Launch, input wantsInput: Bool, extra: [CInt]) throws(LabError) {
        arguments = launch.arguments
        let output = try ProcessPipe()
        let error = try ProcessPipe()
        let started: Launch.Started
        if wantsInput {
            let pipe = try ProcessPipe()
            started = try launch.start(
                descriptors: [
                    pipe.readEnd.number, output.writeEnd.number, error.writeEnd.number,
                ] + extra)
            input = Mutex(pipe.takeWriteEnd())
        } else {
            let null = Descriptor(owning: try checked(clab_open("/dev/null", O_RDONLY), "open /dev/null"))
            started = try launch.start(
                descriptors: [null.number, output.writeEnd.number, error.writeEnd.number] + extra)
            input = Mutex(nil)
        }
        pid = started.pid
        state = Mutex(State())
        let pump = try OutputPump(
            output: output.takeReadEnd(), error: error.takeReadEnd(), pidfd: Descriptor(owning: started.pidfd))
        try watch(pump)
    }

    /// Ends the process and what it left in its group, at once, and waits until it has ended. Harmless when done.
    public func terminate() {
        // Its zombie, or it itself, keeps the id from being given to anybody else up to the reaping below.
        let mine = state.withLock { state in
            defer { state.reaped = true }
            return !state.reaped
        }
        guard mine else { return }
        _ = clab_kill(-pid, SIGKILL)
        var exit = clab_exit()
        clab_forget_group(pid)
        while clab_wait(pid, false, &exit) == 0 {
            _ = clab_poll(nil, 0, 500_000)
        }
        note { $0.exit = $0.exit ?? ProcessExit(exit) }
        _ = clab_wait(pid, true, &exit)
    }

    /// Sends a signal to the process.
    ///
    /// - Parameter signal: For example `SIGTERM`.
    /// - Throws: ESRCH when it has ended.
    public func signal(_ signal: Int32) throws(LabError) {
        let result: CInt = state.withLock { $0.reaped ? -ESRCH : clab_kill(pid, signal) }
        try checked(result, "send signal \(signal) to \(arguments.first ?? "process")")
    }

    // MARK: What it wrote

    /// How it ended, or `nil` while it runs.
    public var exit: ProcessExit? { state.withLock { $0.exit } }
    /// Whether it still runs.
    public var isRunning: Bool { exit == nil }
    /// The lines it wrote so far to either output, in the order they came.
    public var lines: [String] { state.withLock { $0.lines } }
    /// What it wrote so far to its standard output.
    public var standardOutput: [UInt8] { state.withLock { $0.output } }
    /// What it wrote so far to its standard error.
    public var standardError: [UInt8] { state.withLock { $0.error } }

    // MARK: The reading thread

    private func watch(_ pump: consuming OutputPump) throws(LabError) {
        let job = Unmanaged.passRetained(PumpJob(process: self, pump: pump))
        var thread = pthread_t()
        let error = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<PumpJob>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, job.toOpaque())
        if error != 0 {
            job.release()
            terminate()
            throw LabError("watch \(arguments.joined(separator: " "))", errno: error)
        }
        pthread_detach(thread)
    }

    fileprivate func receive(_ stream: OutputPump.Stream, _ bytes: UnsafeRawBufferPointer) {
        note { state in
            if stream == .output {
                state.output.append(contentsOf: bytes.prefix(Self.mostOutput - state.output.count))
            } else {
                state.error.append(contentsOf: bytes.prefix(Self.mostOutput - state.error.count))
            }
            let index = stream == .output ? 0 : 1
            guard state.lines.count < 1_000_000 else { return }
            state.partial[index].append(contentsOf: bytes)
            while let end = state.partial[index].firstIndex(of: UInt8(ascii: "\n")) {
                state.lines.append(String(decoding: state.partial[index][..<end], as: UTF8.self))
                state.partial[index].removeSubrange(...end)
            }
            // What is not text has no lines: do not gather it for ever.
            if state.partial[index].count > 1024 * 1024 {
                state.partial[index].removeAll()
            }
        }
    }

    fileprivate func ended() {
        var exit = clab_exit()
        // Not reaped: the id has to stay ours as long as its group may be killed.
        let known = clab_wait(pid, false, &exit) == 1
        note { state in
            for index in 0..<2 where !state.partial[index].isEmpty {
                state.lines.append(String(decoding: state.partial[index], as: UTF8.self))
                state.partial[index] = []
            }
            if known, state.exit == nil {
                state.exit = ProcessExit(exit)
            }
        }
        input.withLock { $0 = nil }
    }

    /// Changes the state and wakes everybody who waits for a change.
    func note(_ change: (inout State) -> Void) {
        let woken = state.withLock { state in
            change(&state)
            state.version += 1
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in woken {
            waiter.resume()
        }
    }
}

/// What the reading thread of a process is given.
private final class PumpJob {
    let process: HostProcess
    var pump: OutputPump

    init(process: HostProcess, pump: consuming OutputPump) {
        self.process = process
        self.pump = pump
    }

    func run() {
        _ = pump.run(until: nil) { stream, bytes in process.receive(stream, bytes) }
        process.ended()
    }
}

/// Both ends of a pipe; each end can be taken away once.
struct ProcessPipe: ~Copyable {
    let readEnd: Descriptor
    let writeEnd: Descriptor

    init() throws(LabError) {
        var ends: [CInt] = [-1, -1]
        try checked(clab_pipe(&ends), "pipe")
        readEnd = Descriptor(owning: ends[0])
        writeEnd = Descriptor(owning: ends[1])
    }

    /// Keeps the end to read from, and closes the other.
    consuming func takeReadEnd() -> Descriptor { readEnd }
    /// Keeps the end to write to, and closes the other.
    consuming func takeWriteEnd() -> Descriptor { writeEnd }
}
