public import LinuxSystem

/// How names are looked up. What is not set is as resolv.conf(5), nsswitch.conf(5) and hosts(5) of this host say.
public struct ResolverOptions: Sendable, Hashable {
    /// The DNS servers to ask, with their ports; empty: those of `resolv.conf`.
    public var servers: [SocketAddress] = []
    /// The file with servers, search domains and `ndots`; `nil`: `/etc/resolv.conf`.
    public var configurationFile: String?
    /// How long the first try of a query waits; each later round of tries waits twice as long as the one before.
    public var timeout = Duration.seconds(2)
    /// How often each server is asked.
    public var tries = 3
    /// The lifetime of answers that have none of their own: those of `/etc/hosts`.
    public var hostsLifetime = Duration.seconds(60)
    /// The shortest lifetime given to an answer, whatever the server says, so that a TTL of 0 is not a query without end.
    public var minimumLifetime = Duration.seconds(1)

    /// What this host's files say.
    public init() {}
}
