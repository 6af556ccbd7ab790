public import LinuxSystem

/// A connection that was just connected to its upstream.
public struct ConnectionOpening: Sendable {
    /// Unique in this process.
    public var id: UInt64
    /// The relay's id.
    public var relay: Int
    /// The client's address.
    public var client: SocketAddress
    /// The upstream's index in the plan.
    public var upstream: Int
    /// From accepted to connected, in nanoseconds.
    public var connectTime: UInt64
}
