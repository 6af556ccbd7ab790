public import Credentials
public import TLS
internal import Wire

/// What a relay expects before data, and says before data: who may come in, how a destination is chosen and where it may
/// lead, and which preambles are sent.
public final class HandshakePlan: Sendable {
    /// A version of the PROXY protocol.
    public enum ProxyVersion: Sendable {
        case v1
        case v2
        /// Version 2 with what is known about the client's multipath (TLV 0xE2).
        case v2Multipath
    }

    /// For a preamble, from the client and from the upstream, in nanoseconds.
    public let timeout: UInt64
    /// Who is let in, before anything is read.
    public let access: ClientAccess
    /// Clients begin with a PROXY header.
    public let acceptsProxy: Bool
    /// Whose header is believed; empty: everyone's, for only this host can come.
    public let trustedProxies: [NetworkPrefix]
    /// The PROXY header that is sent upstream.
    public let sendProxy: ProxyVersion?
    /// Where a chosen destination may lead.
    public let destinations: DestinationPolicy
    /// The upstream does not go where the client wants.
    public let ignoresDestination: Bool
    /// SOCKS5 and CONNECT clients must say who they are.
    public let requiresUser: Bool
    /// Proves the key to converters.
    public let prover: ConvertProver?
    /// Lets only those who prove a key ask the converter for anything.
    public let verifier: ConvertVerifier?
    /// How many connections each client may have at once.
    public let clientLimit: ClientLimit?
    /// How many may come in a second.
    public let connectionRate: ConnectionRate?
    /// How much may be moved a second.
    public let bandwidth: BandwidthRate?
    /// TLS with the client: what the listener shows and asks for.
    public let clientTLS: TLSContext?
    /// TLS with the upstream.
    public let upstreamTLS: TLSContext?
    /// Begins the unique ids of this process's connections.
    public let tag: [UInt8]
    /// Every client is looked at before it is served.
    let guardsClients: Bool

    /// A plan of these parts.
    public init(
        timeout: UInt64 = 5_000_000_000, access: ClientAccess = ClientAccess(), acceptsProxy: Bool = false,
        trustedProxies: [NetworkPrefix] = [], sendProxy: ProxyVersion? = nil,
        destinations: DestinationPolicy = DestinationPolicy(), ignoresDestination: Bool = false,
        requiresUser: Bool = false, prover: ConvertProver? = nil, verifier: ConvertVerifier? = nil,
        clientLimit: ClientLimit? = nil, connectionRate: ConnectionRate? = nil, bandwidth: BandwidthRate? = nil,
        clientTLS: TLSContext? = nil, upstreamTLS: TLSContext? = nil, tag: [UInt8] = []
    ) {
        self.timeout = timeout
        self.access = access
        self.acceptsProxy = acceptsProxy
        self.trustedProxies = trustedProxies
        self.sendProxy = sendProxy
        self.destinations = destinations
        self.ignoresDestination = ignoresDestination
        self.requiresUser = requiresUser
        self.prover = prover
        self.verifier = verifier
        self.clientLimit = clientLimit
        self.connectionRate = connectionRate
        self.bandwidth = bandwidth
        self.clientTLS = clientTLS
        self.upstreamTLS = upstreamTLS
        self.tag = tag
        guardsClients = !access.isOpen || acceptsProxy || connectionRate != nil || clientLimit != nil
    }
}
