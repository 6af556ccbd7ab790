internal import CLinux
public import SystemPackage

/// What a descriptor is watched for, and what has happened to it. epoll_ctl(2).
public struct Readiness: OptionSet, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32

    /// From the kernel's bits.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Bytes, a connection, or the end of the stream can be read.
    @inlinable
    public static var readable: Readiness { Readiness(rawValue: 0x001) }
    /// Bytes can be written, or a connect is decided.
    @inlinable
    public static var writable: Readiness { Readiness(rawValue: 0x004) }
    /// An error is pending. Always watched for.
    @inlinable
    public static var failed: Readiness { Readiness(rawValue: 0x008) }
    /// Both directions are shut. Always watched for.
    @inlinable
    public static var hungUp: Readiness { Readiness(rawValue: 0x010) }
    /// Report once at each change instead of as long as it lasts.
    @inlinable
    public static var edge: Readiness { Readiness(rawValue: 1 << 31) }
    /// Wake only one of the pollers that watch the same file; such a registration cannot be modified.
    @inlinable
    public static var exclusive: Readiness { Readiness(rawValue: 1 << 28) }
}

/// What a poller gives back with an event: which slot, and which tenant of it. A generation in `tag` lets a stale event be
/// dropped instead of being delivered to the slot's next tenant.
public struct EventToken: Hashable, Sendable {
    /// The index in the owner's table.
    public var slot: UInt32
    /// The owner's own bits: kind and generation.
    public var tag: UInt32

    /// A token of its two halves.
    @inlinable
    public init(slot: UInt32, tag: UInt32) {
        self.slot = slot
        self.tag = tag
    }
}

/// An epoll instance with its buffer of events. epoll(7).
///
/// Owned and used by one thread. A descriptor that is closed leaves the poller by itself, when it has no duplicate.
@safe
public struct Poller: ~Copyable {
    private let descriptor: Descriptor
    private let events: UnsafeMutableBufferPointer<linux_event>

    /// - Parameter capacity: how many events one wait may answer.
    /// - Throws: `Errno.tooManyOpenFiles` and its like.
    public init(capacity: Int = 256) throws(Errno) {
        let descriptor = Descriptor(owning: try check(linux_epoll_create()))
        self.descriptor = descriptor
        unsafe events = .allocate(capacity: max(1, capacity))
        unsafe events.initialize(repeating: linux_event())
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Starts watching. The corresponding call is `epoll_ctl(EPOLL_CTL_ADD)`.
    public borrowing func add(_ raw: CInt, _ readiness: Readiness, _ token: EventToken) throws(Errno) {
        _ = try check(linux_epoll_add(descriptor.raw, raw, readiness.rawValue, token.slot, token.tag))
    }

    /// Changes what is watched for. The corresponding call is `epoll_ctl(EPOLL_CTL_MOD)`.
    public borrowing func modify(_ raw: CInt, _ readiness: Readiness, _ token: EventToken) throws(Errno) {
        _ = try check(linux_epoll_modify(descriptor.raw, raw, readiness.rawValue, token.slot, token.tag))
    }

    /// Stops watching. The corresponding call is `epoll_ctl(EPOLL_CTL_DEL)`.
    public borrowing func remove(_ raw: CInt) throws(Errno) {
        _ = try check(linux_epoll_remove(descriptor.raw, raw))
    }

    /// Waits until something happens or the time is over.
    ///
    /// - Parameter milliseconds: how long, -1 without end.
    /// - Returns: how many events there are to read with `event(_:)`; 0 also when a signal interrupted the wait.
    public mutating func wait(milliseconds: CInt) throws(Errno) -> Int {
        Int(try check(unsafe linux_epoll_wait(descriptor.raw, events.baseAddress, CInt(events.count), milliseconds)))
    }

    /// The event at `index` of the last wait.
    public borrowing func event(_ index: Int) -> (readiness: Readiness, token: EventToken) {
        let event = unsafe events[index]
        return (Readiness(rawValue: event.events), EventToken(slot: event.slot, tag: event.tag))
    }
}
