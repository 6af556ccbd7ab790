internal import Forwarding
internal import LinuxSystem
internal import SystemPackage
internal import Upstreams

/// Looks up the names that clients want to go to. What was found is kept for as long as its records live, and everyone who
/// asks for the same name meanwhile gets the one answer.
struct DestinationNames: ~Copyable {
    private struct Question: Hashable {
        let name: String
        let port: UInt16
    }

    private struct Asker {
        let loop: Int
        let request: UInt64
    }

    private struct Known {
        let addresses: [SocketAddress]
        let until: MonotonicTime
    }

    /// Names that are remembered at most.
    private static let most = 1024
    /// The longest that an answer is kept, in nanoseconds.
    private static let longest: UInt64 = 60_000_000_000
    /// How long a name that leads nowhere is not asked for again.
    private static let failure: UInt64 = 1_000_000_000

    private let resolver: Resolver
    private var known: [Question: Known] = [:]
    private var questions: [UInt64: Question] = [:]
    private var askers: [Question: [Asker]] = [:]
    private var answers: [(asker: Asker, addresses: [SocketAddress])] = []
    private var nextID: UInt64 = 0

    init() throws(ResolverError) {
        resolver = try Resolver()
    }

    /// A loop wants to know where a name leads.
    mutating func ask(loop: Int, request: UInt64, name: String, port: UInt16) {
        let question = Question(name: name.lowercased(), port: port)
        let asker = Asker(loop: loop, request: request)
        if let known = known[question], known.until > .now() {
            answers.append((asker, known.addresses))
            return
        }
        askers[question, default: []].append(asker)
        guard askers[question]?.count == 1 else { return }
        nextID += 1
        questions[nextID] = question
        resolver.resolve(name: question.name, port: port, id: nextID)
    }

    /// When to come back although no descriptor is ready.
    var deadline: MonotonicTime { answers.isEmpty ? resolver.deadline : MonotonicTime(nanoseconds: 0) }

    /// A descriptor of the resolver's is ready.
    func process(_ readiness: Readiness, _ token: EventToken) {
        resolver.process(readiness, token)
    }

    /// To be called once a turn of the main loop: passes answers on, and keeps the poller up to date.
    mutating func settle(_ poller: borrowing Poller, tag: UInt32, _ loops: borrowing LoopThreads) throws(Errno) {
        if resolver.deadline <= .now() { resolver.processTimeouts() }
        for resolution in resolver.takeResults() {
            guard let question = questions.removeValue(forKey: resolution.id) else { continue }
            var addresses: [SocketAddress] = []
            var lifetime = Self.failure
            if case .addresses(let found, let ttl) = resolution.result {
                addresses = found
                lifetime = min(Self.longest, max(Self.failure, ttl.wholeNanoseconds))
            }
            if known.count >= Self.most { forget() }
            known[question] = Known(addresses: addresses, until: .now() + lifetime)
            for asker in askers.removeValue(forKey: question) ?? [] { answers.append((asker, addresses)) }
        }
        for answer in answers {
            loops.shared[answer.asker.loop].send(
                .destinationResolved(request: answer.asker.request, answer.addresses))
        }
        answers.removeAll(keepingCapacity: true)
        try resolver.updateWatches(in: poller, tag: tag)
    }

    private mutating func forget() {
        let now = MonotonicTime.now()
        known = known.filter { $0.value.until > now }
        if known.count >= Self.most { known.removeAll() }
    }
}
