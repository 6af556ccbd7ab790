/// One member of a relay's pool, for people and metrics: plain values, safe to hand to any thread.
public struct UpstreamView: Sendable, Hashable {
    /// Its number in this process.
    public let id: Int
    /// The relay's id.
    public let relay: Int
    /// Where it is: the upstream as configured, or the member that its name stands for, as `mptcp://192.0.2.1:7143`.
    public let address: String
    /// The addresses that it has now; empty while its name has none.
    public let resolved: [String]
    /// What health checks and connections say.
    public let isHealthy: Bool
    /// Why it is not healthy; empty when it is.
    public let reason: String
    /// It takes no new connections, because an operator said so.
    public let isDraining: Bool
    /// Connections that go there now, over all loops.
    public let connections: Int
    /// Its tier (lower is used first) and its share in it.
    public let tier: Int
    /// See `tier`.
    public let weight: Int
}
