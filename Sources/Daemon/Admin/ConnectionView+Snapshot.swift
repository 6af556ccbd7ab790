internal import Admin
internal import Forwarding
internal import LinuxSystem
internal import MultipathTCP
internal import Paths

extension ConnectionView {
    /// A connection as it is shown.
    init(_ snapshot: ConnectionSnapshot, relay: DaemonView.Relay?, links: [LinkSnapshot], now: MonotonicTime) {
        self.init()
        id = snapshot.id
        self.relay = relay?.name ?? ""
        destination = snapshot.destination
        client = snapshot.client.description
        upstream = Self.upstream(snapshot, relay)
        state = snapshot.state.rawValue
        ageSeconds = Double(now.since(snapshot.opened) / 1_000_000) / 1000
        bytesUp = snapshot.bytesUp
        bytesDown = snapshot.bytesDown
        multipath = snapshot.multipath.word
        reason = snapshot.notMultipathReason?.description
        subflows = snapshot.subflows.map { SubflowView($0, links: links) }
    }

    /// The upstream as configured, with the address that it is connected to in place of a name.
    private static func upstream(_ snapshot: ConnectionSnapshot, _ relay: DaemonView.Relay?) -> String {
        guard let relay else { return snapshot.upstreamAddress.description }
        guard relay.upstreams.indices.contains(snapshot.upstream) else {
            return relay.upstreams.joined(separator: ",")
        }
        let configured = relay.upstreams[snapshot.upstream]
        guard snapshot.upstreamAddress.family != .unix, snapshot.upstreamAddress != .none,
            let scheme = configured.firstIndex(of: ":")
        else { return configured }
        return "\(configured[..<scheme])://\(snapshot.upstreamAddress)"
    }
}

extension SubflowView {
    /// A subflow as it is shown.
    init(_ snapshot: SubflowSnapshot, links: [LinkSnapshot]) {
        self.init()
        leg = snapshot.leg.rawValue
        local = snapshot.local.description
        remote = snapshot.remote.description
        let address = snapshot.local.unmapped.with(port: 0)
        link = links.first { $0.addresses.contains { $0.isSameHost(as: address) } }?.name
        rttUs = UInt64(snapshot.roundTripMicroseconds)
        bytesSent = snapshot.bytesSent
        bytesReceived = snapshot.bytesReceived
        retransmits = UInt64(snapshot.retransmits)
        backup = snapshot.isBackup ?? false
        state = snapshot.state.word
    }
}

extension TCPState {
    /// As `ss` names it.
    fileprivate var word: String {
        switch self {
        case .established: "established"
        case .synSent: "syn-sent"
        case .synReceived: "syn-received"
        case .finWait1: "fin-wait-1"
        case .finWait2: "fin-wait-2"
        case .timeWait: "time-wait"
        case .closed: "closed"
        case .closeWait: "close-wait"
        case .lastAck: "last-ack"
        case .listening: "listening"
        case .closing: "closing"
        case .unknown: "unknown"
        }
    }
}
