public import LinuxSystem

/// One place that a relay's connections may go to: an upstream of the configuration, or one of those that its name
/// stands for. Immutable, as the control plane publishes it; what changes is its status.
public struct UpstreamMember: Sendable {
    /// The index of the upstream in the relay's plan that it comes from.
    public var upstream: Int
    /// The addresses to race, best first; empty until a name is resolved, and for what is not reached over IP.
    public var addresses: [SocketAddress]
    /// Lower tiers are used first; a higher one only when nobody in the lower ones is well.
    public var tier: Int
    /// Its share among its tier; 0 gets nothing while others can.
    public var weight: Int
    /// Stands for the member in `source-hash`: the same at every near end and after every restart.
    public var key: UInt64
    /// How it is.
    public var status: MemberStatus

    /// A member of these parts; `key` is made from the text that identifies it.
    public init(
        upstream: Int, addresses: [SocketAddress], tier: Int, weight: Int, key: String, status: MemberStatus
    ) {
        self.upstream = upstream
        self.addresses = addresses
        self.tier = tier
        self.weight = weight
        self.key = SourceHash.hash(key.utf8)
        self.status = status
    }
}

/// How a relay's connections are spread over its pool.
public enum Balance: Sendable, Hashable {
    /// The lowest tier that is well; within it by chance, according to weight.
    case failover
    /// In turn, according to weight. Each loop counts for itself.
    case roundRobin
    /// To the one with the fewest open connections for its weight, over all loops.
    case leastConnections
    /// By the client's address, so that a client comes back to the same member for as long as that is well.
    case sourceHash
}
