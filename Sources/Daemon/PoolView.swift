internal import Forwarding

/// One member of a relay's pool as other threads see it: what does not change about it, and its status, which anyone may
/// read at any time.
struct PoolView: Sendable {
    /// Where it is: the upstream as configured, or what its name stands for, as `mptcp://192.0.2.1:7143`.
    let address: String
    /// The index of the upstream that it comes from.
    let upstream: Int
    let tier: Int
    let weight: Int
    let status: MemberStatus
}

/// What has changed about the pools since somebody looked last.
struct PoolChanges {
    /// Members have come or gone.
    var members = false
    /// Members that are well now, or no more.
    var health: [HealthChange] = []

    struct HealthChange {
        let relay: String
        let address: String
        let isHealthy: Bool
        let text: String
        let reason: String
    }
}
