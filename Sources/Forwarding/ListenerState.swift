internal import LinuxSystem

/// A listening socket as one loop has it: its own duplicate of the descriptor.
struct ListenerState: ~Copyable {
    let descriptor: Descriptor
    let relay: Int
    /// An MPTCP listener: its connections may be MPTCP or plain TCP.
    let isMultipath: Bool
    /// Other loops watch the same socket.
    let isShared: Bool
    /// TCP_NODELAY, which accepted sockets inherit.
    let noDelay: Bool
    /// In the poller now.
    var isWatched = false
    /// Its relay has as many connections as it may.
    var isFull = false
}
