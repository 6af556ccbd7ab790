internal import BasicContainers
internal import CLinux
internal import Credentials
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// The client's side of RFC 8803: asking a converter, and reading its answer.
extension EventLoop {
    /// The Convert message for the connection's destination: the first of its addresses that was not asked for in vain.
    func convertRequest(_ handshake: Handshake, _ plan: HandshakePlan) -> [UInt8] {
        guard let endpoint = handshake.addresses.first?.endpoint else { return [] }
        let message = ConvertMessage([.connect(.init(endpoint))])
        guard let prover = plan.prover else { return message.bytes() }
        return prover.sign(message, milliseconds: WallClock.milliseconds(), challenge: handshake.challenge)
    }

    /// What a client that waits for nobody has sent already goes with the request (RFC 8803 section 3: 0-RTT). It stays in
    /// `input` until the converter has answered, for another one may have to be asked.
    mutating func readAhead(_ slot: UInt32, _ handshake: Handshake) {
        guard handshake.input.isEmpty, let channel = connections.slots[Int(slot)]?.client.channel else { return }
        let scratch = unsafe carriers.scratch
        let answer = unsafe channel.receive(scratch.baseAddress, min(scratch.count, Tuning.readAhead))
        guard answer > 0 else { return }
        unsafe handshake.input.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<Int(answer)]))
    }

    /// Reads the answer and not a byte more: what follows it is the server's.
    mutating func readConvertAnswer(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) {
        guard let channel = connections.slots[Int(slot)]?.upstream.channel else { return }
        while true {
            let wanted = (handshake.answer.count < 4 ? 4 : Int(handshake.answer[1]) * 4) - handshake.answer.count
            if wanted > 0 {
                let scratch = unsafe carriers.scratch
                let count = unsafe channel.receive(scratch.baseAddress, wanted)
                if count == Int64(-Errno.wouldBlock.rawValue) { return }
                guard count > 0 else {
                    return upstreamFailed(
                        slot, relay, handshake, count == 0 ? .connectionReset : Errno(rawValue: CInt(-count)))
                }
                unsafe handshake.answer.append(contentsOf: UnsafeRawBufferPointer(rebasing: scratch[..<Int(count)]))
            }
            switch ConvertMessage.parse(handshake.answer.span) {
            case .needMore: continue
            case .malformed: return convertFailed(slot, handshake, .protocolError)
            case .complete(let message, _):
                if let error = message.error {
                    return convertRefused(slot, relay, handshake, error.code, error.value)
                }
                timers.cancel(Int(slot))
                count(slot, relay, up: handshake.input.count)
                return complete(slot, relay, handshake)
            }
        }
    }

    private mutating func convertRefused(
        _ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ code: ConvertErrorCode, _ value: [UInt8]
    ) {
        guard let upstream = connections.slots[Int(slot)]?.upstreamIndex else { return }
        switch code {
        case .missingCookie:
            // Once: a converter that asks again cannot be satisfied.
            guard relays[relay].plan.handshake.prover != nil, handshake.challenge == nil, value.count >= 13 else {
                return convertFailed(slot, handshake, .permissionDenied)
            }
            handshake.challenge = Array(value[1..<13])
            askAgain(slot, relay, handshake, upstream)
        case .resourceExceeded, .networkFailure:
            let seconds = value.first.flatMap { $0 == 0 ? nil : UInt64($0) } ?? 30
            leaveAlone(slot, relay, seconds: seconds)
            upstreamFailed(
                slot, relay, handshake, code == .networkFailure ? .networkDown : .resourceTemporarilyUnavailable)
        case .connectionReset, .destinationUnreachable:
            // A name has more addresses: the next may be reached. The converter's challenge was for the one before.
            if handshake.addresses.count > 1 {
                handshake.addresses.removeFirst()
                handshake.challenge = nil
                return askAgain(slot, relay, handshake, upstream)
            }
            if code == .connectionReset { return convertFailed(slot, handshake, .connectionRefused) }
            convertFailed(slot, handshake, value.first == 0 ? .networkUnreachable : .noRouteToHost)
        // Malformed is also the answer to a destination that no client may reach, and the message itself is ours.
        case .notAuthorized, .malformedMessage: convertFailed(slot, handshake, .permissionDenied)
        default: convertFailed(slot, handshake, .protocolError)
        }
    }

    /// Asks the same converter anew, with another connection.
    private mutating func askAgain(_ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ upstream: Int) {
        again(slot, handshake)
        guard let member = connections.slots[Int(slot)]?.dial.member else { return }
        connections.slots[Int(slot)]?.begin(member: member, of: upstream)
        if !beginNetwork(slot, relay, upstream) { nextUpstream(slot) }
    }

    /// The converter's last word: no other is asked.
    private mutating func convertFailed(_ slot: UInt32, _ handshake: Handshake, _ error: Errno) {
        connections.slots[Int(slot)]?.upstream.resetOnClose()
        fail(slot, handshake, .dial(error))
    }
}
