internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// One client of the echo server: bytes that came and did not go back yet, and what is waited for.
final class EchoClient {
    enum State {
        case wants(Readiness)
        case finished
        case failed(Errno)
    }

    let connection: MultipathConnection
    /// Tells this tenant of a slot from the next.
    let tag: UInt32
    /// Bytes sent back.
    private(set) var echoed: UInt64 = 0
    /// Why it is not multipath, as far as known; `nil` when it is.
    private(set) var reason: NotMultipathReason?
    private var isChecked = false
    private var buffer = [UInt8](repeating: 0, count: 16384)
    private var filled = 0
    private var drained = 0

    init(_ connection: MultipathConnection, tag: UInt32) {
        self.connection = connection
        self.tag = tag
        reason = connection.notMultipathReason
        _ = connection.attemptNoDelay(true)
    }

    /// Echoes what it can without waiting.
    func pump() -> State {
        do throws(Errno) {
            // Bounded, so that a client that never stops sending does not keep the others waiting.
            for _ in 0..<16 {
                while drained < filled {
                    let count = try connection.sendNow(buffer.span.extracting(drained..<filled))
                    drained += count
                    echoed += UInt64(count)
                }
                var room = buffer.mutableSpan
                filled = try connection.receiveNow(into: &room)
                drained = 0
                if filled == 0 {
                    try connection.finishSending()
                    return .finished
                }
            }
        } catch {
            guard error == .wouldBlock else { return .failed(error) }
        }
        return .wants(drained < filled ? .writable : .readable)
    }

    /// Asks again whether it is multipath, once, when bytes have gone both ways. True when the answer is another now.
    func checkOnceEchoed() -> Bool {
        guard !isChecked, echoed > 0 else { return false }
        isChecked = true
        return check()
    }

    /// Asks again whether it is multipath. True when the answer is another now.
    @discardableResult
    func check() -> Bool {
        let before = reason
        reason = connection.notMultipathReason
        return reason != before
    }
}
