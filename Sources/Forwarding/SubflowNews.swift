public import LinuxSystem
public import MultipathTCP

/// A connection has got another subflow, or lost one, while it goes on. The first subflow comes and the last one goes with the
/// connection itself.
public struct SubflowChange: Sendable, Hashable {
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
    /// It was opened, or it is gone.
    public let isOpened: Bool
}

/// A connection that was to be multipath runs over plain TCP.
public struct FallbackNews: Sendable {
    /// The connection's id.
    public let connection: UInt64
    /// The relay's id.
    public let relay: Int
    /// The client's address.
    public let client: SocketAddress
    /// The upstream's index in the plan.
    public let upstream: Int
    /// Why, as far as it is known.
    public let reason: NotMultipathReason?
}
