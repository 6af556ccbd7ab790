internal import CLinux
public import SystemPackage

/// An eventfd: any thread raises it, the owner's poller wakes. eventfd(2).
public struct EventCounter: ~Copyable, Sendable {
    /// The descriptor to watch for `readable`.
    public let descriptor: Descriptor

    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init() throws(Errno) {
        descriptor = Descriptor(owning: try check(linux_eventfd()))
    }

    /// Wakes the poller that watches it. Safe from any thread, and from a signal handler.
    public borrowing func raise() {
        linux_eventfd_raise(descriptor.raw)
    }

    /// Makes it unreadable again.
    public borrowing func clear() {
        linux_eventfd_clear(descriptor.raw)
    }
}
