internal import BasicContainers
internal import LinuxSystem
internal import SystemPackage
internal import Wire

/// The server's side of HTTP CONNECT: RFC 9110 section 9.3.6.
extension EventLoop {
    /// - Returns: false: the head is the only message.
    mutating func takeHTTPHead(_ slot: UInt32, _ relay: Int, _ handshake: Handshake) -> Bool {
        switch HTTPConnect.parse(handshake.input.span, looked: handshake.looked) {
        case .needMore: handshake.looked = handshake.input.count
        case .malformed(let fault):
            let (status, why): (HTTPConnect.Status, String) =
                switch fault {
                case .malformed: (.badRequest, "a malformed request")
                case .method: (.methodNotAllowed, "another method than CONNECT")
                case .tooLarge: (.headTooLarge, "a request of more than 16 KiB")
                }
            fail(slot, handshake, .bytes(HTTPConnect.response(status, detail: why), why))
        case .complete(let request, let length):
            handshake.consumeSecret(length)
            guard relays[relay].plan.handshake.requiresUser else {
                choose(slot, relay, handshake, request.destination)
                return false
            }
            handshake.destination = request.destination
            guard let credentials = request.credentials else {
                fail(slot, handshake, .authentication)
                return false
            }
            checkUser(slot, relay, handshake, credentials)
        }
        return false
    }
}
