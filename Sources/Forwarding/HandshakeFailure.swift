internal import BasicContainers
internal import CLinux
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// Why a handshake comes to nothing.
enum HandshakeFailure {
    /// The client gets these bytes; the words are for the log. `isError`: it counts among a converter's error answers.
    case bytes([UInt8], String, isError: Bool = true)
    /// The client gets nothing.
    case silent(String)
    /// Name and password are missing or wrong.
    case authentication
    /// The destination is not one that the client may reach.
    case denied(DestinationPolicy.Denial)
    /// No upstream could be reached.
    case dial(Errno)
}

/// Telling the client the true cause, and closing so that it hears of it.
extension EventLoop {
    /// Ends a handshake with the cause in the client's own protocol.
    mutating func fail(
        _ slot: UInt32, _ handshake: Handshake, _ failure: HandshakeFailure, result: ConnectionResult = .connectFailed
    ) {
        switch failure {
        case .bytes(let bytes, let why, let isError):
            note(slot, handshake, refusal: why)
            handshake.end = Connection.End(result: .refused, error: .badMessage)
            leave(slot, handshake, bytes, isError: isError)
        case .silent(let why):
            note(slot, handshake, refusal: why)
            finish(slot, Connection.End(result: .refused, error: .badMessage, reset: true))
        case .authentication:
            note(slot, handshake, refusal: "a wrong user or password")
            handshake.end = Connection.End(result: .refused, error: .permissionDenied)
            leave(slot, handshake, HTTPConnect.response(.authenticationRequired, detail: "User and password, please."))
        case .denied(let denial):
            note(slot, handshake, refusal: denial.reason)
            handshake.end = Connection.End(result: .refused, error: .permissionDenied, reset: handshake.isMute)
            leave(slot, handshake, Self.answer(handshake, denial))
        case .dial(let error):
            handshake.end = Connection.End(result: result, error: error, reset: handshake.isMute)
            leave(slot, handshake, Self.answer(handshake.kind, error))
        }
    }

    /// Sends a last message and closes in order: what the client still sends is read and dropped for a while, for closing over
    /// unread bytes would be a reset, and could destroy the message on its way.
    mutating func leave(_ slot: UInt32, _ handshake: Handshake, _ bytes: [UInt8], isError: Bool = true) {
        let index = Int(slot)
        guard let channel = connections.slots[index]?.client.channel else { return }
        connections.slots[index]?.upstream = .absent
        if bytes.isEmpty { return finish(slot, handshake.end) }
        if handshake.kind == .convert, isError, !mayAnswerError() { return finish(slot, handshake.end) }
        let sent = unsafe bytes.withUnsafeBytes { unsafe channel.send($0.baseAddress, $0.count) }
        guard sent == Int64(bytes.count) else { return finish(slot, handshake.end) }
        // It is among the first bytes that the socket is given, so there is room for it; if not, the close says it.
        _ = channel.finish()
        awaitFarewell(slot, handshake)
    }

    /// Gives the client time to read the last message and to close.
    mutating func awaitFarewell(_ slot: UInt32, _ handshake: Handshake) {
        handshake.step = .farewell
        handshake.input = []
        connections.slots[Int(slot)]?.phase = .handshake
        timers.schedule(Int(slot), at: now + Tuning.farewell)
        watchClient(slot, .readable)
    }

    /// Error answers of a converter, at most so many a second: what asks for more gets none. Neither Info nor a challenge is
    /// an error.
    private mutating func mayAnswerError() -> Bool {
        if now >= errorAnswers.until {
            errorAnswers = (until: now + 1_000_000_000, left: Tuning.errorAnswersPerSecond)
        }
        errorAnswers.left -= 1
        return errorAnswers.left >= 0
    }

    mutating func sayFarewell(_ slot: UInt32, _ handshake: Handshake) {
        guard let raw = connections.slots[Int(slot)]?.client.raw else { return }
        let scratch = unsafe carriers.scratch
        let answer = unsafe linux_receive(raw, scratch.baseAddress, scratch.count)
        if answer > 0 || answer == Int64(-Errno.wouldBlock.rawValue) { return }
        finish(slot, handshake.end)
    }

    /// Sends the client a short message in the middle of its handshake.
    ///
    /// - Returns: false when that could not be done; the connection has ended then.
    mutating func answer(_ slot: UInt32, _ bytes: [UInt8]) -> Bool {
        guard let channel = connections.slots[Int(slot)]?.client.channel else { return false }
        let sent = unsafe bytes.withUnsafeBytes { unsafe channel.send($0.baseAddress, $0.count) }
        // It is among the first bytes that the socket is given, so it takes all of them or is broken.
        if sent == Int64(bytes.count) { return true }
        let error = sent < 0 ? Errno(rawValue: CInt(-sent)) : .noBufferSpace
        finish(slot, Connection.End(result: .clientReset, error: error, reset: true))
        return false
    }

    // MARK: The cause in each protocol

    private static func answer(_ handshake: Handshake, _ denial: DestinationPolicy.Denial) -> [UInt8] {
        switch handshake.kind {
        case .plain, .transparent: return []
        case .socks5: return SOCKS5.reply(.notAllowed)
        case .http:
            return HTTPConnect.response(.forbidden, detail: "This destination is not allowed: \(denial.reason).")
        case .convert:
            switch denial {
            // RFC 8803, section 4.2.5 counts them as malformed.
            case .loopback, .multicast, .broadcast:
                let request = handshake.request
                return ConvertMessage.refusal(.malformed, of: request.span).bytes()
            case .rule, .linkLocal, .ownListener: return ConvertMessage.failure(.notAuthorized).bytes()
            }
        }
    }

    private static func answer(_ kind: ListenerKind, _ error: Errno) -> [UInt8] {
        switch kind {
        case .plain, .transparent: []
        case .socks5: SOCKS5.reply(socksReply(error))
        case .http:
            switch error {
            case .timedOut: HTTPConnect.response(.gatewayTimeout, detail: "The destination does not answer.")
            case .permissionDenied: HTTPConnect.response(.forbidden, detail: "The far end does not allow it.")
            default: HTTPConnect.response(.badGateway, detail: "The destination cannot be reached: \(error).")
            }
        case .convert: convertAnswer(error).bytes()
        }
    }

    private static func socksReply(_ error: Errno) -> SOCKS5.Reply {
        switch error {
        case .connectionRefused: .refused
        case .networkUnreachable: .networkUnreachable
        case .noRouteToHost, .hostIsDown, .noSuchAddressOrDevice: .hostUnreachable
        case .timedOut: .timedOut
        case .permissionDenied: .notAllowed
        default: .generalFailure
        }
    }

    /// A server that does not answer is unreachable, code 1 (host). It is no failure of the converter (65), which clients
    /// would then leave alone.
    private static func convertAnswer(_ error: Errno) -> ConvertMessage {
        switch error {
        case .connectionRefused, .connectionReset: .failure(.connectionReset)
        case .networkUnreachable: .failure(.destinationUnreachable, [0])
        case .noRouteToHost, .hostIsDown, .timedOut, .noSuchAddressOrDevice: .failure(.destinationUnreachable, [1])
        case .permissionDenied: .failure(.notAuthorized)
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: .failure(.resourceExceeded)
        default: .failure(.networkFailure)
        }
    }
}

extension Handshake {
    /// The client's protocol has no words for a failure: a reset tells it.
    var isMute: Bool { kind == .plain || kind == .transparent }
}

extension DestinationPolicy.Denial {
    /// In words.
    var reason: String {
        switch self {
        case .rule: "destinations do not allow it"
        case .loopback: "it is a loopback address"
        case .linkLocal: "it is a link-local address"
        case .multicast: "it is a multicast address"
        case .broadcast: "it is a broadcast address"
        case .ownListener: "this daemon itself listens there"
        }
    }
}
