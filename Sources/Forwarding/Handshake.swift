internal import Credentials
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// What a connection knows until it relays. It is made when a client has something to say before its data (or something is
/// to be said to the upstream before it), and is gone once data flow.
///
/// Concurrency: belongs to the loop that the connection belongs to.
final class Handshake {
    /// What is waited for.
    enum Step {
        /// For its turn, under a rate limit.
        case turn
        /// A PROXY header.
        case proxyHeader
        /// For the client's part of the TLS handshake.
        case clientTLS
        case socksGreeting
        case socksCredentials
        case socksRequest
        case httpHead
        case convertRequest
        /// For the main thread's word about name and password.
        case userCheck
        /// For the addresses of the destination's name.
        case resolution
        /// For an upstream; the phase is `resolving` or `dialing`.
        case upstream
        /// For the upstream's part of the TLS handshake.
        case upstreamTLS
        /// For the upstream to take the preamble.
        case preamble
        /// For the converter's answer.
        case convertAnswer
        /// For the client to take the refusal and close.
        case farewell
    }

    let kind: ListenerKind
    var step: Step
    /// When the client was accepted, or when its turn under a rate limit came.
    var began: MonotonicTime
    /// When the client's preamble has to be there.
    var deadline: MonotonicTime
    /// It stands in the relay's queue of those whose preamble is read.
    var isQueued = false
    /// What the client has sent and nobody has taken yet. What is left after its preamble goes to the upstream first.
    var input: [UInt8] = []
    /// So much of `input` was looked at in vain.
    var looked = 0
    /// What the listener's proxy said.
    var proxied: ProxyHeader?
    /// Where the client wants to go.
    var destination: Destination?
    /// Where that is, as far as it is permitted.
    var addresses: [SocketAddress] = []
    /// Who the client says it is. The password is not kept.
    var user: [UInt8]?
    /// The user was checked.
    var isUserChecked = false
    /// The Convert client's message.
    var request: [UInt8] = []
    /// The Convert client asked for the supported extensions.
    var asksForExtensions = false
    /// TLS with the client stands.
    var isClientSealed = false
    /// What goes to the upstream before data, and how much of it went.
    var preamble: [UInt8] = []
    var preambleSent = 0
    /// What has come of the converter's answer.
    var answer: [UInt8] = []
    /// The converter's challenge, once it asked for one.
    var challenge: [UInt8]?
    /// How the connection ends once the client has its refusal.
    var end = Connection.End(result: .handshakeFailed)

    init(_ kind: ListenerKind, step: Step, began: MonotonicTime, deadline: MonotonicTime) {
        self.began = began
        self.kind = kind
        self.step = step
        self.deadline = deadline
    }

    /// The first step of a kind's own preamble; `nil` when there is none to read.
    static func firstStep(_ kind: ListenerKind) -> Step? {
        switch kind {
        case .plain, .transparent: nil
        case .socks5: .socksGreeting
        case .http: .httpHead
        case .convert: .convertRequest
        }
    }

    /// Whether the step is one in which the client's bytes are read.
    var readsClient: Bool {
        switch step {
        case .proxyHeader, .socksGreeting, .socksCredentials, .socksRequest, .httpHead, .convertRequest: true
        case .turn, .clientTLS, .userCheck, .resolution, .upstream, .upstreamTLS, .preamble, .convertAnswer, .farewell:
            false
        }
    }

    /// Takes the first `count` bytes of the input away, in which a password was.
    func consumeSecret(_ count: Int) {
        Secrets.wipe(&input, first: count)
        consume(count)
    }

    /// Whether it is the client who keeps everyone waiting.
    var isClientsTurn: Bool { readsClient || step == .clientTLS }

    /// Takes the first `count` bytes of the input away.
    func consume(_ count: Int) {
        input.removeFirst(count)
        looked = 0
    }
}
