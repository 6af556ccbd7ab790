internal import BasicContainers
public import LinuxSystem
public import SystemPackage

/// Connect checks in flight: sockets that are connecting, on the poller of the thread that owns this.
///
/// ## Concurrency model
/// Belongs to one thread, starts none, and makes no timer: that thread watches its poller and comes back at `deadline`.
/// With no check in flight nothing is open and `deadline` is `never`.
public final class HealthChecks {
    /// What came of a check.
    public struct Outcome: Sendable {
        /// The number that the caller gave.
        public let id: Int
        /// Why it failed; `nil` when one of its sockets connected.
        public let error: Errno?
    }

    private struct Attempt: ~Copyable {
        let id: Int
        let generation: UInt32
        let socket: Socket
    }

    private struct Check {
        let deadline: MonotonicTime
        var waiting: Int
        var error = Errno.timedOut
    }

    private var attempts = UniqueArray<Attempt?>()
    private var checks: [Int: Check] = [:]
    private var outcomes: [Outcome] = []
    private var generation: UInt32 = 0
    private let tag: UInt32

    /// - Parameter tag: of the tokens in the poller. Tokens' slots are this value's own.
    public init(tag: UInt32) {
        self.tag = tag
    }

    /// When `expire(now:)` is due.
    public var deadline: MonotonicTime { checks.values.reduce(.never) { min($0, $1.deadline) } }

    /// Whether a check of this number is under way.
    public func isRunning(_ id: Int) -> Bool { checks[id] != nil }

    /// Begins a check; `attempt` adds the sockets, and `started` says that these were all.
    public func begin(_ id: Int, deadline: MonotonicTime) {
        checks[id] = Check(deadline: deadline, waiting: 1)
    }

    /// Connects one more socket for a check.
    ///
    /// - Parameters:
    ///   - id: a check that has begun.
    ///   - socket: not connected yet.
    ///   - connect: starts connecting it; true when it is connected at once.
    public func attempt(
        _ id: Int, _ socket: consuming Socket, in poller: borrowing Poller,
        connect: (borrowing Socket) throws(Errno) -> Bool
    ) {
        guard checks[id] != nil else { return }
        do throws(Errno) {
            if try connect(socket) {
                socket.resetOnClose()
                return end(id, nil)
            }
            let place = freePlace()
            generation = (generation &+ 1) & 0xFFFF
            // 16 bits of place, 16 of generation: a stale event finds another tenant and is dropped.
            let token = EventToken(slot: UInt32(place) | generation << 16, tag: tag)
            try poller.add(socket.raw, .writable, token)
            attempts[place] = Attempt(id: id, generation: generation, socket: socket)
            checks[id]?.waiting += 1
        } catch {
            checks[id]?.error = error
        }
    }

    /// No more sockets come for this check.
    ///
    /// - Parameter error: why there are none, when there are none.
    public func started(_ id: Int, error: Errno? = nil) {
        if let error { checks[id]?.error = error }
        settle(id)
    }

    /// A descriptor is ready.
    public func process(_ token: EventToken, _ readiness: Readiness) {
        let place = Int(token.slot & 0xFFFF)
        guard place < attempts.count, attempts[place]?.generation == token.slot >> 16,
            let id = attempts[place]?.id
        else { return }
        if readiness.isDisjoint(with: [.failed, .hungUp]) {
            // A reset, not a farewell: the peer has nothing to finish, and this side keeps no TIME-WAIT.
            attempts[place]?.socket.resetOnClose()
            return end(id, nil)
        }
        let error: Errno = attempts[place]?.socket.takeError() ?? .connectionRefused
        checks[id]?.error = error
        attempts[place] = nil
        settle(id)
    }

    /// Ends the checks whose time is over.
    public func expire(now: MonotonicTime) {
        for (id, check) in checks where check.deadline <= now { end(id, .timedOut) }
    }

    /// Gives a check up; nobody hears of it any more.
    public func cancel(_ id: Int) {
        checks[id] = nil
        close(id)
    }

    /// Takes what has been decided since the last call.
    public func takeOutcomes() -> [Outcome] {
        defer { outcomes = [] }
        return outcomes
    }

    private func settle(_ id: Int) {
        guard let check = checks[id] else { return }
        if check.waiting > 1 {
            checks[id]?.waiting -= 1
        } else {
            end(id, check.error)
        }
    }

    private func end(_ id: Int, _ error: Errno?) {
        checks[id] = nil
        outcomes.append(Outcome(id: id, error: error))
        close(id)
    }

    private func close(_ id: Int) {
        for place in 0..<attempts.count where attempts[place]?.id == id { attempts[place] = nil }
    }

    private func freePlace() -> Int {
        for place in 0..<attempts.count where attempts[place] == nil { return place }
        attempts.append(nil)
        return attempts.count - 1
    }
}
