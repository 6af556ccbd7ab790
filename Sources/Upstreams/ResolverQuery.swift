internal import CAres
internal import CLinux
internal import LinuxSystem

/// One look-up in flight, until c-ares calls back.
final class ResolverQuery {
    private let inbox: ResolverInbox
    private let counter: InFlightCounter
    private let name: String
    private let port: UInt16
    private let id: UInt64
    /// The call that started it has not returned yet, so whatever comes now was not asked of a server.
    var isStarting = true

    init(inbox: ResolverInbox, counter: InFlightCounter, name: String, port: UInt16, id: UInt64) {
        self.inbox = inbox
        self.counter = counter
        self.name = name
        self.port = port
        self.id = id
    }

    /// Puts the result into the inbox.
    ///
    /// - Parameters:
    ///   - status: what c-ares says.
    ///   - answer: the addresses, valid during this call, or `nil`.
    func finish(_ status: CInt, _ answer: UnsafeMutablePointer<ares_addrinfo>?) {
        counter.value -= 1
        let outcome: Resolution.Outcome
        if let error = ResolutionError(status: status) {
            outcome = .failed(error)
        } else if let answer = unsafe answer {
            unsafe outcome = read(answer)
        } else {
            outcome = .failed(.noAddresses)
        }
        inbox.finish(Resolution(id: id, name: name, result: outcome))
    }

    /// Puts the result of a query for SRV records into the inbox.
    func finishService(_ status: CInt, _ message: [UInt8]) {
        counter.value -= 1
        let outcome: Resolution.Outcome
        if let error = ResolutionError(status: status) {
            outcome = .failed(error == .noAddresses ? .noServices : error)
        } else if let answer = ServiceAnswer(message) {
            let lifetime = Duration.seconds(Int64(answer.lifetime))
            outcome = .services(answer.records, ttl: max(lifetime, inbox.options.minimumLifetime))
        } else {
            outcome = .failed(.malformed)
        }
        inbox.finish(Resolution(id: id, name: name, result: outcome))
    }

    private func read(_ answer: UnsafeMutablePointer<ares_addrinfo>) -> Resolution.Outcome {
        var addresses: [SocketAddress] = []
        var lifetime = CInt.max
        var node = unsafe answer.pointee.nodes
        while let current = unsafe node {
            if let address = unsafe address(of: current.pointee) {
                addresses.append(address)
                unsafe lifetime = min(lifetime, current.pointee.ai_ttl)
            }
            unsafe node = current.pointee.ai_next
        }
        guard !addresses.isEmpty else { return .failed(.noAddresses) }
        // An alias that expires leads elsewhere, even while the addresses it led to are still good.
        var alias = unsafe answer.pointee.cnames
        while let current = unsafe alias {
            if unsafe current.pointee.name != nil { unsafe lifetime = min(lifetime, current.pointee.ttl) }
            unsafe alias = current.pointee.next
        }
        return .addresses(HappyEyeballs.order(addresses), ttl: duration(lifetime))
    }

    private func duration(_ seconds: CInt) -> Duration {
        // c-ares gives 0 for what comes from a file, which the call that starts the look-up has read by itself.
        if isStarting, seconds <= 0 { return inbox.options.hostsLifetime }
        return max(.seconds(Int64(seconds)), inbox.options.minimumLifetime)
    }

    private func address(of node: ares_addrinfo_node) -> SocketAddress? {
        var address = linux_address()
        unsafe linux_address_from_sockaddr(node.ai_addr, Int(node.ai_addrlen), &address)
        let count =
            switch Int(address.family) {
            case Int(LINUX_AF_INET): 4
            case Int(LINUX_AF_INET6): 16
            default: 0
            }
        let bytes = unsafe withUnsafeBytes(of: &address.bytes) { unsafe Array($0.prefix(count)) }
        return SocketAddress(bytes: bytes.span, port: port, scope: address.scope)
    }
}

extension ResolutionError {
    /// c-ares up to 1.19 does not tell SERVFAIL and REFUSED of the last server from a server that is not there.
    static let noServer = ResolutionError.other("no DNS server could be reached, or all failed or refused to answer")

    /// The error for a status of c-ares; `nil` for success.
    init?(status: CInt) {
        switch status {
        case ARES_SUCCESS: return nil
        case ARES_ENOTFOUND, ARES_ENONAME: self = .notFound
        case ARES_ENODATA: self = .noAddresses
        case ARES_ETIMEOUT: self = .timedOut
        case ARES_ESERVFAIL: self = .serverFailure
        case ARES_EREFUSED: self = .refused
        case ARES_ECANCELLED, ARES_EDESTRUCTION: self = .cancelled
        case ARES_EBADNAME: self = .other("it is not a DNS name")
        case ARES_ECONNREFUSED: self = .noServer
        default: self = .other(ResolverChannel.describe(status))
        }
    }
}
