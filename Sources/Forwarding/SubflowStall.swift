public import LinuxSystem

/// A subflow that has died silently: data is outstanding on it, nothing is acknowledged, and another subflow of its connection
/// works.
public struct SubflowStall: Sendable, Hashable {
    /// The connection's id.
    public let connection: UInt64
    /// The relay's id.
    public let relay: Int
    /// The side of the connection that it is part of.
    public let leg: SubflowSnapshot.Leg
    /// This host's address.
    public let local: SocketAddress
    /// The peer's address.
    public let remote: SocketAddress
    /// The kernel's number for it in its connection; `nil` before Linux 6.5.
    public let id: UInt32?
    /// For how long nothing was acknowledged, in nanoseconds.
    public let silence: UInt64
    /// Segments without an acknowledgement.
    public let unacknowledged: UInt32
    /// Connections of this loop that have data outstanding from the same local address, as far as they are watched.
    public let outstanding: Int
    /// How many of them have it stuck: most of them, and the link is dead; this one alone, and it is its path.
    public let stuck: Int
}

/// A connection none of whose subflows acknowledges anything: all its links are dead, or its peer is.
public struct ConnectionStall: Sendable, Hashable {
    /// The connection's id.
    public let connection: UInt64
    /// The relay's id.
    public let relay: Int
    /// The side of the connection that is stuck.
    public let leg: SubflowSnapshot.Leg
    /// How many subflows it has.
    public let subflows: Int
}
