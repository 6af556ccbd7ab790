public import LinuxSystem
internal import Synchronization

/// What changes about a member of a relay's pool: written by the control plane and by every loop, read by all, without a
/// lock. One object a member, shared by all loops.
public final class MemberStatus: Sendable {
    /// Unique in this process.
    public let id: Int
    private let open = Atomic<Int>(0)
    private let healthy = Atomic<Bool>(true)
    private let failing = Atomic<Bool>(false)
    private let draining = Atomic<Bool>(false)
    private let recoveredAt: Atomic<UInt64>
    private let restsUntil = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - id: unique in this process.
    ///   - startsSlowlyAt: when the member came to a pool that has others; `nil` for one of the first.
    public init(id: Int, startsSlowlyAt: MonotonicTime? = nil) {
        self.id = id
        recoveredAt = Atomic(startsSlowlyAt?.nanoseconds ?? 0)
    }

    /// Connections that go there now, over all loops; those that are still connecting count.
    public var connections: Int { open.load(ordering: .relaxed) }

    /// False: it is tried only when no healthy member is left.
    public var isHealthy: Bool { healthy.load(ordering: .relaxed) }

    /// What people are told: checks are well, and where there are none, the last connection was.
    public var isWell: Bool { isHealthy && !failing.load(ordering: .relaxed) }

    /// True: no new connection goes there; the open ones go on.
    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// True: it has asked to be left alone for a while, which has not passed (a converter's errors 64 and 65).
    func isResting(_ now: MonotonicTime) -> Bool { now.nanoseconds < restsUntil.load(ordering: .relaxed) }

    /// It asks to be left alone until then: no failure, and no loop dials it before.
    func rest(until time: MonotonicTime) { restsUntil.store(time.nanoseconds, ordering: .relaxed) }

    /// When it last became healthy again, in nanoseconds of the monotonic clock; 0 when it always was.
    var recovery: UInt64 { recoveredAt.load(ordering: .relaxed) }

    /// Says how the member is. Becoming healthy again begins its slow start.
    public func set(healthy isHealthy: Bool, at now: MonotonicTime) {
        if isHealthy, !self.isHealthy { recoveredAt.store(now.nanoseconds, ordering: .relaxed) }
        healthy.store(isHealthy, ordering: .relaxed)
    }

    /// Says that connections to it fail, where no check says better. The loops know by themselves.
    public func set(failing isFailing: Bool) { failing.store(isFailing, ordering: .relaxed) }

    /// Says whether the member takes new connections.
    public func set(draining isDraining: Bool, at now: MonotonicTime) {
        if !isDraining, self.isDraining { recoveredAt.store(now.nanoseconds, ordering: .relaxed) }
        draining.store(isDraining, ordering: .relaxed)
    }

    func enter() { open.add(1, ordering: .relaxed) }
    func leave() { open.subtract(1, ordering: .relaxed) }
}
