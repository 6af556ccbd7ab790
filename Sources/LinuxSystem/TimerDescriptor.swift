internal import CLinux
public import SystemPackage

/// A one-shot timer as a descriptor. timerfd_create(2).
public struct TimerDescriptor: ~Copyable, Sendable {
    /// The descriptor to watch for `readable`.
    public let descriptor: Descriptor

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init() throws(Errno) {
        descriptor = Descriptor(owning: try check(linux_timerfd()))
    }

    /// Fires at `time`, or never.
    public borrowing func arm(at time: MonotonicTime) throws(Errno) {
        _ = try check(linux_timerfd_arm(descriptor.raw, time == .never ? 0 : max(1, time.nanoseconds)))
    }

    /// Makes it unreadable until it fires again.
    public borrowing func clear() {
        linux_timerfd_clear(descriptor.raw)
    }
}
