internal import BasicContainers
internal import CLinux
internal import Credentials
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// The converter's side of RFC 8803.
extension EventLoop {
    /// - Returns: false: there is one message.
    mutating func takeConvertRequest(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch ConvertMessage.parse(handshake.input.span) {
        case .needMore: break
        case .malformed(let fault):
            refuseConvert(slot, handshake, .refusal(fault, of: handshake.input.span), "a malformed Convert message")
        case .complete(let message, let length):
            let bytes = Array(handshake.input[..<length])
            handshake.consume(length)
            handshake.request = bytes
            guard isAuthentic(slot, relay, handshake, bytes, message) else { return false }
            handshake.asksForExtensions = message.asksForExtensions
            guard !message.tlvs.contains(where: { [20, 21, 30].contains($0.type) }) else {
                refuseConvert(
                    slot, handshake, .refusal(.unsupported, of: bytes.span), "a converter's part from a client")
                return false
            }
            guard let connect = message.connect else {
                guard message.asksForExtensions else {
                    refuseConvert(slot, handshake, .refusal(.unsupported, of: bytes.span), "neither Connect nor Info")
                    return false
                }
                handshake.end = Connection.End(result: .closed)
                leave(slot, handshake, ConvertMessage([ConvertMessage.supportedExtensions]).bytes(), isError: false)
                return false
            }
            let unsupported = ConvertMessage.unsupportedKinds(connect.options)
            guard unsupported.isEmpty else {
                refuseConvert(
                    slot, handshake, .failure(.unsupportedTCPOption, unsupported), "TCP options that cannot be honoured"
                )
                return false
            }
            choose(slot, relay, handshake, Destination(.address(connect.endpoint.address), port: connect.endpoint.port))
        }
        return false
    }

    /// Whether the message comes from someone who knows a key, where keys are wanted. Nothing else is looked at before.
    private mutating func isAuthentic(
        _ slot: UInt32, _ relay: Int, _ handshake: Handshake, _ bytes: [UInt8], _ message: ConvertMessage
    ) -> Bool {
        guard let verifier = relays[relay].plan.handshake.verifier else { return true }
        let client = connections.slots[Int(slot)]?.clientAddress.unmapped.bytes ?? []
        switch verifier.verify(bytes, cookie: message.cookie, client: client, milliseconds: WallClock.milliseconds()) {
        case .good: return true
        case .challenge(let challenge):
            let why = message.cookie == nil ? "no proof of key" : "a proof of key whose time is off"
            let answer = ConvertMessage.failure(.missingCookie, [0] + challenge)
            fail(slot, handshake, .bytes(answer.bytes(), why, isError: false))
        case .wrongKey:
            refuseConvert(slot, handshake, .failure(.notAuthorized), "a wrong key")
        case .replayed:
            refuseConvert(slot, handshake, .failure(.notAuthorized), "a proof of key that was used before")
        }
        return false
    }

    private mutating func refuseConvert(
        _ slot: UInt32, _ handshake: Handshake, _ message: ConvertMessage, _ why: String
    ) {
        fail(slot, handshake, .bytes(message.bytes(), why))
    }
}

/// The time that people and other machines have.
public enum WallClock {
    /// Since 1970.
    public static func milliseconds() -> UInt64 { linux_realtime_ns() / 1_000_000 }
}
