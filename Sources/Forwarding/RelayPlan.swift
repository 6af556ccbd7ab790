public import LinuxSystem
public import TLS

/// What the data plane needs to know of a relay: plain values that a loop keeps a copy of.
public struct RelayPlan: Sendable {
    /// Never used again for another relay in this process; an index into the counters.
    public var id: Int
    /// The number under which it counts; `nil`: its own. A relay that takes another's place counts on for it.
    public var counters: Int?
    /// As configured, for thread-local notices only.
    public var name: String
    /// As configured. Which one a connection takes is decided among the members that they stand for.
    public var upstreams: [UpstreamPlan]
    /// How connections are spread over the members.
    public var balance = Balance.failover
    /// Over what time a member that comes back, or comes new to others, gets its full share, in nanoseconds; 0: at once.
    public var slowStart: UInt64 = 0
    /// The members to begin with; `LoopCommand.setMembers` changes them. Empty: one for each upstream, in their order.
    public var members: [UpstreamMember] = []
    /// How long one upstream may take to connect, in nanoseconds.
    public var connectTimeout: UInt64
    /// How long a connection may carry nothing, in nanoseconds; 0 is without end.
    public var idleTimeout: UInt64
    /// The same once one direction has ended.
    public var halfCloseTimeout: UInt64
    /// When the next address is tried beside the one before, in nanoseconds.
    public var raceDelay: UInt64
    /// How long data may stay unacknowledged, in nanoseconds; 0 leaves it to the kernel.
    public var clientUserTimeout: UInt64
    /// Whether TCP_NODELAY follows what a flow does.
    public var clientNoDelay: NoDelay
    /// Whether the congestion control of clients' sockets is chosen while they run: `congestion = "auto"`.
    public var clientChoosesCongestion = false
    /// What is set on sockets to the upstreams.
    public var upstreamSocket: SocketPlan
    /// What is not multipath where it could be is refused.
    public var requiresMultipath: Bool
    /// Which link is dialled first.
    public var mode: LinkMode
    /// Who may come in, together with the relay's other loops.
    public var gate: AdmissionGate
    /// What is said before data.
    public var handshake = HandshakePlan()

    /// A relay of these parts.
    public init(
        id: Int, name: String, upstreams: [UpstreamPlan], connectTimeout: UInt64, idleTimeout: UInt64,
        halfCloseTimeout: UInt64, raceDelay: UInt64, clientUserTimeout: UInt64, clientNoDelay: NoDelay,
        upstreamSocket: SocketPlan, requiresMultipath: Bool = false, mode: LinkMode = .aggregate, gate: AdmissionGate
    ) {
        self.id = id
        self.name = name
        self.upstreams = upstreams
        self.connectTimeout = connectTimeout
        self.idleTimeout = idleTimeout
        self.halfCloseTimeout = halfCloseTimeout
        self.raceDelay = raceDelay
        self.clientUserTimeout = clientUserTimeout
        self.clientNoDelay = clientNoDelay
        self.upstreamSocket = upstreamSocket
        self.requiresMultipath = requiresMultipath
        self.mode = mode
        self.gate = gate
    }

    /// The members to begin with, made from the upstreams when none were given.
    var pool: [UpstreamMember] {
        if !members.isEmpty { return members }
        return upstreams.indices.map { index in
            UpstreamMember(
                upstream: index, addresses: upstreams[index].addresses, tier: index, weight: 1, key: "\(index)",
                status: MemberStatus(id: index))
        }
    }
}

/// How a relay uses the links. The data plane dials accordingly; which subflows are backup is decided above.
public enum LinkMode: Sendable, Hashable {
    /// All of them; of equals the quicker to connect of late is dialled first.
    case aggregate
    /// The first healthy one by priority and order.
    case handover
    /// The one with the lowest round-trip time of late.
    case interactive
}

/// Where a relay's connections go.
public struct UpstreamPlan: Sendable {
    /// How it is reached.
    public enum Kind: Sendable, Hashable {
        /// Over IP; the addresses may have to be resolved first.
        case network(StreamProtocol)
        /// To the address that the client has chosen.
        case direct(StreamProtocol)
        /// Over MPTCP to an RFC 8803 converter, which is asked for what the client has chosen.
        case convert
        /// A Unix socket by its path.
        case unix(String)
        /// The client's own bytes, sent back.
        case echo
        /// Handed to a server in this process.
        case handed(ConnectionTaker)

        /// The protocol of its sockets; `nil` when they are not IP's.
        public var streamProtocol: StreamProtocol? {
            switch self {
            case .network(let wanted), .direct(let wanted): wanted
            case .convert: .mptcp
            case .unix, .echo, .handed: nil
            }
        }

        /// An RFC 8803 converter.
        public var isConverter: Bool {
            if case .convert = self { true } else { false }
        }
    }

    /// How it is reached.
    public var kind: Kind
    /// The addresses to race, best first; empty until a name is resolved.
    public var addresses: [SocketAddress]
    /// Whom its certificate has to name, where TLS is used and that is verified; `nil` for what the client has chosen.
    public var tlsPeer: TLSPeer?
    /// True when the addresses come from DNS and are asked for again once they are `expired`.
    public var isName: Bool

    /// An upstream of these parts.
    public init(kind: Kind, addresses: [SocketAddress], isName: Bool) {
        self.kind = kind
        self.addresses = addresses
        self.isName = isName
    }
}

/// When TCP_NODELAY is set.
public enum NoDelay: Sendable {
    /// While a flow is shallow, that is, interactive.
    case auto
    case always
    case never
}

/// Options of a socket; 0 or empty leaves the system's default.
public struct SocketPlan: Sendable {
    /// Idle time before keepalive probes, in seconds.
    public var keepaliveSeconds: Int32 = 0
    /// How long data may stay unacknowledged, in nanoseconds.
    public var userTimeout: UInt64 = 0
    /// Congestion control by name.
    public var congestion = ""
    /// Whether congestion control is chosen while the socket is used: `congestion = "auto"`.
    public var choosesCongestion = false
    /// `SO_MARK`.
    public var mark: UInt32 = 0
    /// `IP_TOS` and `IPV6_TCLASS`.
    public var typeOfService: Int32 = 0
    /// When TCP_NODELAY is set.
    public var noDelay = NoDelay.auto
    /// TCP Fast Open.
    public var fastOpen = false
    /// Send (and, on TCP, receive) buffer in bytes.
    public var buffer: Int32 = 0
    /// `SO_BINDTODEVICE`.
    public var interface = ""
    /// Source address.
    public var sourceAddress: SocketAddress?

    /// The system's defaults.
    public init() {}
}
