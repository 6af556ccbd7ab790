internal import Forwarding
internal import LinuxSystem
internal import Paths

/// A link with all that decides how it is used: what the kernel shows, what the configuration and people say, and how it
/// has behaved.
struct SupervisedLink {
    /// Its number in this process.
    let id: Int
    /// As the kernel shows it.
    var status: LinkStatus
    /// The addresses that it had when it was up last.
    var lastAddresses: [SocketAddress] = []
    /// What `braid link` said of its role, against the configuration.
    var requestedBackup: Bool?
    /// `braid link --down`.
    var isSwitchedOff = false
    /// Why it is made backup although nobody asked for it.
    var demotion: String?
    /// What the guard has against it.
    var guardReason: GuardReason?
    /// Which peers' connections keep away from it, and why.
    var avoidedBy: [String] = []
    /// Past its monthly limit, with `over-limit = "off"`.
    var isOverLimit = false
    /// Set while nothing gets through, although all looks well.
    var stall: LinkStall?
    var history = StallHistory()

    init(id: Int, status: LinkStatus) {
        self.id = id
        self.status = status
        lastAddresses = status.addresses
    }

    var name: String { status.name }

    /// Whether it is used, or why not.
    var state: LinkSnapshot.State {
        if isSwitchedOff { return .switchedOff }
        if isOverLimit { return .overLimit }
        switch status.state {
        case .up: return stall == nil ? .up : .stalled
        case .absent: return .absent
        case .down: return .down
        case .noCarrier: return .noCarrier
        case .noAddress: return .noAddress
        case .noRoute: return .noRoute
        }
    }

    var isUsable: Bool { state == .up }

    /// Nobody wants it to be used.
    var isUnwanted: Bool { isSwitchedOff || isOverLimit }

    /// Whether it carries data only while no other link works.
    var isBackup: Bool { requestedBackup ?? (status.configured.isBackup || demotion != nil || guardReason != nil) }

    /// Why its role is what it is; empty when there is nothing to say.
    var why: String {
        if requestedBackup != nil { return "braid link" }
        if status.configured.isBackup { return "configured" }
        if let reason = demotion ?? guardReason?.description { return reason }
        return avoidedBy.isEmpty ? "" : "not for \(avoidedBy.joined(separator: "; "))"
    }

    /// What its endpoints are made of.
    var effective: LinkStatus {
        var effective = status
        effective.configured.isBackup = isBackup
        if isUnwanted { effective.addresses = [] }
        return effective
    }

    /// Where a dial may start from. A link that is down has no addresses and is passed over.
    func candidate(priority: Int) -> LinkCandidate {
        let addresses = isUnwanted ? [] : status.addresses
        return LinkCandidate(
            id: id, ipv4: addresses.first { $0.family == .ipv4 }, ipv6: addresses.first { $0.family == .ipv6 },
            priority: priority, isBackup: isBackup, isUp: isUsable)
    }

    /// Whether an address of this host is this link's, or was.
    func has(_ address: SocketAddress) -> Bool {
        let host = address.unmapped.with(port: 0)
        return lastAddresses.contains { $0.isSameHost(as: host) }
    }

    /// For people and programs.
    var snapshot: LinkSnapshot {
        LinkSnapshot(
            id: id, name: name, interface: status.interfaceName,
            addresses: status.addresses.isEmpty ? lastAddresses : status.addresses, state: state, isBackup: isBackup,
            why: why, isAnnounced: status.configured.isAnnounced, priority: status.configured.priority)
    }
}
