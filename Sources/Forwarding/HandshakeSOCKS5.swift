internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// The server's side of SOCKS5: RFC 1928 and 1929.
extension EventLoop {
    /// - Returns: true when the next message can be read.
    mutating func takeSOCKSGreeting(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch SOCKS5.parseGreeting(handshake.input.span) {
        case .needMore: return false
        case .malformed:
            fail(slot, handshake, .silent("no SOCKS5"))
            return false
        case .complete(let methods, let length):
            handshake.consume(length)
            let wantsUser = relays[relay].plan.handshake.requiresUser
            guard wantsUser ? methods.password : methods.none else {
                fail(slot, handshake, .bytes(SOCKS5.methodChosen(0xFF), wantsUser ? "no user" : "no method"))
                return false
            }
            guard answer(slot, SOCKS5.methodChosen(wantsUser ? 2 : 0)) else { return false }
            handshake.step = wantsUser ? .socksCredentials : .socksRequest
            return true
        }
    }

    mutating func takeSOCKSCredentials(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch SOCKS5.parseCredentials(handshake.input.span) {
        case .needMore: return false
        case .malformed:
            fail(slot, handshake, .bytes(SOCKS5.credentialsChecked(false), "no credentials"))
            return false
        case .complete(let credentials, let length):
            handshake.consumeSecret(length)
            checkUser(slot, relay, handshake, credentials)
            return false
        }
    }

    mutating func takeSOCKSRequest(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch SOCKS5.parseRequest(handshake.input.span) {
        case .needMore: break
        case .malformed(.addressType):
            fail(slot, handshake, .bytes(SOCKS5.reply(.addressTypeNotSupported), "an unknown address type"))
        case .malformed: fail(slot, handshake, .bytes(SOCKS5.reply(.generalFailure), "a malformed request"))
        case .complete(let request, let length):
            handshake.consume(length)
            guard request.isConnect else {
                fail(slot, handshake, .bytes(SOCKS5.reply(.commandNotSupported), "another command than CONNECT"))
                return false
            }
            choose(slot, relay, handshake, request.destination)
        }
        return false
    }

    // MARK: Users

    /// Has the main thread's helper look at name and password: hashing takes too long for a loop.
    mutating func checkUser(
        _ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ credentials: SOCKS5.Credentials
    ) {
        guard let token = connections.slots[Int(slot)]?.token(.client),
            let client = connections.slots[Int(slot)]?.clientAddress
        else { return }
        handshake.user = credentials.name
        handshake.step = .userCheck
        watchClient(slot, [])
        guard connections.slots[Int(slot)] != nil else { return }
        shared.report(
            .checkUser(
                relay: relays[relay].plan.id, request: UInt64(token.slot) << 32 | UInt64(token.tag),
                client: ClientKey(client), name: credentials.name, password: credentials.password), vital: true)
    }

    /// Name and password were looked at.
    mutating func userChecked(_ request: UInt64, _ verdict: UserVerdict) {
        guard let slot = asker(request), let relay = connections.slots[Int(slot)]?.relay,
            let handshake = connections.slots[Int(slot)]?.handshake, handshake.step == .userCheck
        else { return }
        handshake.isUserChecked = verdict == .right
        let why = verdict == .wrong ? "a wrong user or password" : "too many of its passwords wait to be looked at"
        switch handshake.kind {
        case .socks5:
            guard verdict == .right else {
                return fail(slot, handshake, .bytes(SOCKS5.credentialsChecked(false), why))
            }
            guard answer(slot, SOCKS5.credentialsChecked(true)) else { return }
            handshake.step = .socksRequest
            readOn(slot, relay, handshake)
        default:
            if verdict == .notLookedAt {
                return fail(slot, handshake, .bytes(HTTPConnect.response(.unavailable, detail: why), why))
            }
            guard verdict == .right, let destination = handshake.destination else {
                return fail(slot, handshake, .authentication)
            }
            choose(slot, relay, handshake, destination)
        }
    }

    /// The slot of a handshake that asked for something, if it still waits for an answer.
    mutating func asker(_ request: UInt64) -> UInt32? {
        let slot = UInt32(truncatingIfNeeded: request >> 32)
        let generation = EventTag(rawValue: UInt32(truncatingIfNeeded: request)).generation
        guard connections.holds(slot, generation: generation) else { return nil }
        let phase = connections.slots[Int(slot)]?.phase
        return phase == .handshake ? slot : nil
    }
}
