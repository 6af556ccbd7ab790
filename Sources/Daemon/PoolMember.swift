internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import SystemPackage
internal import Upstreams

/// A member of a pool as the control plane knows it.
struct PoolMember {
    var plan: UpstreamMember
    /// Its source's index in the pools.
    var source: Int
    /// Where it is, for people.
    let text: String
    /// What `source-hash` and the next look-up know it by.
    let key: String
    var health: HealthState
    /// When it is to be checked next.
    var nextCheck = MonotonicTime.never
    /// Why it is not well.
    var reason = ""

    var id: Int { plan.status.id }
    var isHealthy: Bool { plan.status.isWell }
}

/// What a look-up says that an upstream stands for: not a member yet.
struct MemberCandidate {
    var key: String
    var text: String
    var addresses: [SocketAddress]
    var tier: Int
    var weight: Int
}
