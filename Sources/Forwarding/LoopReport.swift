internal import LinuxSystem
public import SystemPackage

/// What a loop tells the main thread.
public enum LoopReport: Sendable {
    /// A connection ended.
    case connectionEnded(ConnectionRecord)
    /// The addresses of an upstream are wanted: a connection waits for them.
    case resolve(relay: Int, upstream: Int)
    /// A socket option that this kernel or protocol does not have; told once a relay and option.
    case optionUnsupported(relay: Int, option: StaticString, error: Errno)
    /// A socket option that failed though it exists; told once a relay and option.
    case optionFailed(relay: Int, option: StaticString, error: Errno)
    /// Accepting rests, for want of descriptors or memory; told once until it works again.
    case acceptBackoff(relay: Int, error: Errno)
    /// Accepting works again.
    case acceptResumed(relay: Int)
    /// A listener failed for good and is no longer accepted from.
    case listenerFailed(relay: Int, error: Errno)
    /// MPTCP sockets cannot be made here: upstreams are dialled over plain TCP.
    case multipathUnavailable(error: Errno)
    /// After a drain began: the loop has no connection left.
    case drained
    /// The loop cannot go on.
    case failed(call: StaticString, error: Errno)
}
